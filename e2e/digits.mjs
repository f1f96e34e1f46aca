// Digits as a hand draws them: strokes of points, from 0 to 1 right and down.

/** Points on an arc around a centre, from one angle to another, in degrees clockwise from three o'clock. */
function arc(x, y, across, down, from, to, count = 16) {
  return Array.from({ length: count + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / count) * Math.PI) / 180;
    return [x + across * Math.cos(angle), y + down * Math.sin(angle)];
  });
}

/** By digit. */
export const STROKES = [
  [arc(0.5, 0.5, 0.2, 0.3, -80, 285, 28)],
  [
    [
      [0.55, 0.18],
      [0.52, 0.5],
      [0.48, 0.82],
    ],
  ],
  [[...arc(0.5, 0.34, 0.18, 0.16, 190, 380), [0.52, 0.6], [0.3, 0.8], [0.5, 0.78], [0.74, 0.8]]],
  [[...arc(0.47, 0.33, 0.18, 0.15, 200, 440), ...arc(0.47, 0.66, 0.2, 0.18, -85, 160)]],
  [
    [
      [0.34, 0.2],
      [0.3, 0.52],
      [0.7, 0.5],
    ],
    [
      [0.66, 0.22],
      [0.64, 0.5],
      [0.6, 0.84],
    ],
  ],
  [
    [[0.4, 0.2], [0.36, 0.46], ...arc(0.48, 0.63, 0.19, 0.18, -110, 150)],
    [
      [0.4, 0.2],
      [0.7, 0.18],
    ],
  ],
  [[[0.6, 0.16], [0.42, 0.38], ...arc(0.5, 0.65, 0.17, 0.17, -190, 175, 24)]],
  [
    [
      [0.28, 0.24],
      [0.5, 0.22],
      [0.7, 0.22],
      [0.58, 0.5],
      [0.48, 0.84],
    ],
  ],
  [[...arc(0.5, 0.34, 0.15, 0.15, -60, -270, 14), ...arc(0.5, 0.66, 0.17, 0.17, -90, 270, 20), ...arc(0.5, 0.34, 0.15, 0.15, 90, -60, 14)]],
  [[...arc(0.48, 0.36, 0.16, 0.17, -20, -370, 22), [0.63, 0.5], [0.58, 0.84]]],
];

/** Keys that draw a one from where the pen is. */
export const KEYS_OF_ONE = [" ", ...Array.from({ length: 11 }, () => "ArrowDown"), " "];
