use super::*;

#[test]
fn a_join_request_comes_back_as_it_was() {
    let request = JoinRequest { metadata: "hello".to_owned(), ..JoinRequest::default() };
    for gzip in [false, true] {
        assert_eq!(JoinRequest::decode_wrapped(&request.encode_wrapped(gzip)).unwrap(), request);
    }
}
