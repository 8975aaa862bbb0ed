//! A camera and a screen as processes of their own, against a real server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use trackyard_rig::{Program, Site, token};

/// Everything a test waits for comes within this, or the test fails.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// What each JPEG file begins and ends with.
const START: [u8; 3] = [0xff, 0xd8, 0xff];
const END: [u8; 2] = [0xff, 0xd9];

fn start(site: &Site, identity: &str, arguments: &[&str]) -> Program {
    let (url, token) = (format!("ws://{}", site.http()), token(identity, "yard"));
    Program::start(env!("CARGO_BIN_EXE_mjpeg_camera"), (&url, &token), arguments).unwrap()
}

/// An empty directory for one test.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // It is there only if an earlier run has left it.
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// The files in a directory, in the order of their names.
fn files(directory: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Has a camera with these arguments, and receives so many of its pictures into a directory.
async fn pictures(output: &Path, camera: &[&str], count: usize) -> Vec<Vec<u8>> {
    let site = Site::start("").await.unwrap();
    let count = count.to_string();
    let receive = ["receive", "--output", output.to_str().unwrap(), "--frames", &count];
    let mut screen = start(&site, "screen", &receive);
    let mut camera = start(&site, "robot", &[&["publish"], camera].concat());
    screen.line("skipped", WAIT_MAX).await.unwrap();
    assert!(screen.ended(WAIT_MAX).await.unwrap().success());
    camera.interrupt().unwrap();
    camera.line("pushed", WAIT_MAX).await.unwrap();
    assert!(camera.ended(WAIT_MAX).await.unwrap().success());
    site.stop().await;
    files(output)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scene_arrives_as_whole_pictures_and_moves() {
    let pictures = pictures(&directory("scene"), &[], 40).await;
    assert_eq!(pictures.len(), 40);
    for picture in &pictures {
        assert!(picture.starts_with(&START) && picture.ends_with(&END), "{} bytes", picture.len());
    }
    assert_ne!(pictures.first(), pictures.last());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pictures_of_a_directory_arrive_in_the_order_of_their_names() {
    let source = directory("source");
    let originals: Vec<_> = (0..3_u8).map(|number| [&START[..], &[number; 50_000], &END].concat()).collect();
    for (number, original) in originals.iter().enumerate() {
        fs::write(source.join(format!("{number}.jpg")), original).unwrap();
    }
    fs::write(source.join("notes.txt"), "none").unwrap();
    let camera = ["--images", source.to_str().unwrap(), "--fps", "20"];
    let pictures = pictures(&directory("copies"), &camera, 9).await;
    let numbers: Vec<_> =
        pictures.iter().map(|picture| originals.iter().position(|one| one == picture)).collect();
    assert_eq!(numbers.len(), 9);
    assert!(numbers.iter().all(Option::is_some), "altered: {numbers:?}");
    // A busy machine may lose one; most follow each other.
    let next = |pair: &&[Option<usize>]| pair[1] == pair[0].map(|number| (number + 1) % 3);
    assert!(numbers.windows(2).filter(next).count() >= 5, "{numbers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_shows_rate_and_age_and_the_server_thins_out() {
    let site = Site::start("").await.unwrap();
    let _camera = start(&site, "robot", &["publish"]);
    let mut screen = start(&site, "screen", &["receive", "--fps", "10"]);
    // The first second is not a whole one.
    screen.line("frames/s", WAIT_MAX).await.unwrap();
    let report = screen.line("frames/s", WAIT_MAX).await.unwrap();
    let rate: u32 = report.text.split(' ').next().unwrap().parse().unwrap();
    assert!((5..=12).contains(&rate) && report.text.contains("age at most"), "{}", report.text);
    site.stop().await;
}
