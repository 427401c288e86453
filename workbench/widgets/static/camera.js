import { button, node } from "./bench.js";

/**
 * The webcam: asked for, with a sign that it is on, and a button that ends it. With `live` pictures are sent one after
 * the other, the next when Python is done with the last.
 */
export function camera(takeSaying, say, fail, signal, { live, take, landed }) {
  const video = node("video", { class: "fw-video", autoplay: true, muted: true, playsinline: true, "aria-label": "Webcam" });
  const sign = node("span", { class: "fw-sign", role: "status" });
  let stream = null;
  let running = false;
  const stop = () => {
    running = false;
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    sign.textContent = "";
    element.remove();
  };
  const shoot = () => new Promise((resolve, reject) => {
    const still = node("canvas");
    still.width = video.videoWidth;
    still.height = video.videoHeight;
    if (!still.width) { reject(new Error("the webcam has not sent a picture yet")); return; }
    still.getContext("2d").drawImage(video, 0, 0);
    still.toBlob((blob) => resolve(blob), "image/jpeg", 0.92);
  });
  const once = button("Take picture", () => shoot().then((blob) => takeSaying(blob, "webcam"), fail));
  const stream_ = button("Live", async () => {
    running = !running;
    stream_.setAttribute("aria-pressed", String(running));
    while (running && !signal.aborted) {
      try {
        const blob = await shoot();
        const done = landed();
        await take(blob, "webcam");
        await done;
      } catch (reason) {
        fail(reason);
        running = false;
        stream_.setAttribute("aria-pressed", "false");
      }
    }
  }, { "aria-pressed": "false", hidden: !live() });
  const element = node("div", { class: "fw-camera" },
    video, node("div", { class: "fw-row" }, sign, once, stream_, button("Stop webcam", stop)));
  element.dataset.kind = "camera";
  element.addEventListener("leave", stop);
  signal.addEventListener("abort", stop);
  if (!navigator.mediaDevices?.getUserMedia) {
    fail("no webcam here: a browser gives it to pages from this machine or over https only");
  } else {
    say("asking for the webcam…");
    navigator.mediaDevices.getUserMedia({ video: true }).then((got) => {
      say("");
      if (!element.isConnected) { got.getTracks().forEach((track) => track.stop()); return; }
      stream = got;
      video.srcObject = got;
      sign.textContent = "● webcam is on";
    }, (reason) => { say(""); stop(); fail(`the webcam was not given: ${reason.message}`); });
  }
  return element;
}
