// What a tab publishes: JPEG pictures of the camera or of a drawn scene, and a robot's telemetry.

const WIDTH = 640;
const HEIGHT = 360;
const JPEG_QUALITY = 0.7;

/** A source of JPEG frames: the camera if it is allowed, else a moving scene. */
export class Pictures {
  #canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
  #video;

  /** The canvas that is published, for a preview. */
  get canvas() {
    return this.#canvas;
  }

  /** Takes pictures from the camera from now on. */
  async useCamera() {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: WIDTH, height: HEIGHT } });
    this.#video = Object.assign(document.createElement("video"), { srcObject: stream, muted: true });
    await this.#video.play();
  }

  /** The next picture as JPEG bytes. */
  async next(pose) {
    const context = this.#canvas.getContext("2d");
    if (this.#video) context.drawImage(this.#video, 0, 0, WIDTH, HEIGHT);
    else drawScene(context, pose);
    const blob = await new Promise((fulfil) => this.#canvas.toBlob(fulfil, "image/jpeg", JPEG_QUALITY));
    return new Uint8Array(await blob.arrayBuffer());
  }
}

/** Where the robot is at a time in milliseconds: it drives a figure of eight. */
export function poseAt(milliseconds) {
  const t = milliseconds / 1600;
  const x = Math.sin(t);
  const y = Math.sin(t) * Math.cos(t);
  const heading = Math.atan2(Math.cos(2 * t), Math.cos(t));
  return { t: milliseconds, x, y, heading, speed: Math.hypot(Math.cos(t), Math.cos(2 * t)) };
}

function drawScene(context, pose) {
  context.fillStyle = "#10151c";
  context.fillRect(0, 0, WIDTH, HEIGHT);
  drawGrid(context);
  const at = ({ x, y }) => [WIDTH / 2 + x * 250, HEIGHT / 2 + y * 240];
  context.lineWidth = 3;
  for (let age = 60; age > 0; age -= 1) {
    context.strokeStyle = `hsla(${190 - age}, 80%, 60%, ${1 - age / 60})`;
    context.beginPath();
    context.moveTo(...at(poseAt(pose.t - age * 30)));
    context.lineTo(...at(poseAt(pose.t - (age - 1) * 30)));
    context.stroke();
  }
  drawRobot(context, at(pose), pose.heading);
  context.fillStyle = "#e6edf3";
  context.font = "16px ui-monospace, monospace";
  context.fillText(new Date(pose.t).toISOString().slice(11, 23), 16, HEIGHT - 16);
}

function drawGrid(context) {
  context.strokeStyle = "#1f2a36";
  context.lineWidth = 1;
  context.beginPath();
  for (let x = 0; x <= WIDTH; x += 40) context.rect(x, 0, 0, HEIGHT);
  for (let y = 0; y <= HEIGHT; y += 40) context.rect(0, y, WIDTH, 0);
  context.stroke();
}

function drawRobot(context, [x, y], heading) {
  context.save();
  context.translate(x, y);
  context.rotate(heading);
  context.fillStyle = "#ffb454";
  context.beginPath();
  context.moveTo(22, 0);
  context.lineTo(-14, 13);
  context.lineTo(-7, 0);
  context.lineTo(-14, -13);
  context.fill();
  context.restore();
}
