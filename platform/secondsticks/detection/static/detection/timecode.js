"use strict";
// Timecode in the browser, the same as training/timecode.py: a test compares the two over many frames.

/**
 * "HH:MM:SS:FF" of a frame (";FF" for drop-frame), past midnight from 00 again.
 * @param {number} frame counted from 0
 * @param {{rate: [number, number], start: ?number, dropFrame: boolean}} clip `start`: the count of frame 0,
 *   null at a rate that timecode cannot count
 */
function timecodeAt(frame, clip) {
  if (clip.start === null) return "";
  const base = Math.round(clip.rate[0] / clip.rate[1]);
  const dropped = clip.dropFrame ? Math.round(base / 15) : 0;
  const perMinute = base * 60 - dropped;
  const perTenMinutes = perMinute * 10 + dropped;
  let count = (clip.start + frame) % (perTenMinutes * 144);
  if (dropped) {
    const tens = Math.floor(count / perTenMinutes);
    const rest = count % perTenMinutes;
    const minutes = rest < base * 60 ? 0 : 1 + Math.floor((rest - base * 60) / perMinute);
    count += dropped * (tens * 9 + minutes);
  }
  const two = (number) => String(number).padStart(2, "0");
  const seconds = Math.floor(count / base);
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(":");
  return clock + (dropped ? ";" : ":") + two(count % base);
}
