//! A moving scene, for machines without a camera.

use std::time::Duration;

use anyhow::Result;
use jpeg_encoder::{ColorType, Encoder};

const WIDTH: u16 = 640;
const HEIGHT: u16 = 360;
const QUALITY: u8 = 70;
const BALL_RADIUS: f32 = 40.0;

/// The scene at this time: a ball on a figure of eight before a striped floor that passes by.
pub(crate) fn jpeg(time: Duration) -> Result<Vec<u8>> {
    let t = time.as_secs_f32();
    let (width, height) = (f32::from(WIDTH), f32::from(HEIGHT));
    let ball = (width * (0.5 + 0.4 * t.sin()), height * (0.5 + 0.6 * t.sin() * t.cos()));
    let mut pixels = Vec::with_capacity(usize::from(WIDTH) * usize::from(HEIGHT) * 3);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let (x, y) = (f32::from(x), f32::from(y));
            let on_ball = (x - ball.0).hypot(y - ball.1) < BALL_RADIUS;
            let on_stripe = ((x + y + 120.0 * t) / 40.0).rem_euclid(2.0) < 1.0;
            pixels.extend(match (on_ball, on_stripe) {
                (true, _) => [255, 180, 84],
                (false, true) => [28, 36, 48],
                (false, false) => [16, 21, 28],
            });
        }
    }
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, QUALITY).encode(&pixels, WIDTH, HEIGHT, ColorType::Rgb)?;
    Ok(jpeg)
}
