/* What all influence on a fused pixel comes to, by modality: sums over its Jacobian images. */

/**
 * @typedef {{ total: number, signed: number, negative: number }} Influence - Σ|J|, ΣJ, and the share of Σ|J| that is
 * below 0, from 0 to 1; NaN where a gradient is not finite, the share also where there is no influence.
 */

/**
 * The influence of each input on the pixel of a window, x1 first.
 * @param {{ values: ArrayLike<number> }} window
 * @returns {Influence[]}
 */
export function influences({ values }) {
  const size = values.length / 2;
  return [0, 1].map((index) => {
    let [above, below] = [0, 0];
    for (let at = index * size; at < (index + 1) * size; at += 1) {
      if (values[at] < 0) below -= values[at];
      else above += values[at];
    }
    const total = above + below;
    if (!Number.isFinite(total)) return { total: NaN, signed: NaN, negative: NaN };
    return { total, signed: above - below, negative: below / total };
  });
}

/**
 * A share in whole percent, never 0 or 100 % where it is not exactly that; a dash where it is undefined.
 * @param {number} share - From 0 to 1.
 */
export function percent(share) {
  if (Number.isNaN(share)) return "–";
  if (share > 0 && share < 0.01) return "< 1 %";
  if (share > 0.99 && share < 1) return "> 99 %";
  return `${Math.round(100 * share)} %`;
}
