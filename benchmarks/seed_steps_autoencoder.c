/* The ReLU autoencoder on X = I under AdamW, N features and M hidden units.

   z_ij = sum_k w_ik w_jk + b_j, loss = mean_ij (ReLU(z_ij) - [i = j])^2.
   The parameters are w [N][M], then b [N]. */

#define NUM_PARAMS (N * M + N)
#define NUM_SCRATCH 3
#include "seed_steps.h"

/* Computes N^2 / 2 times the gradient; z_ij and z_ji share their product. */
static inline void gradient(const vec *restrict x, vec *restrict g) {
  const vec *w = x, *b = x + N * M;
  vec *gw = g, *gb = g + N * M;
  for (int i = 0; i < N; i++) {
    vec square = b[i];
    for (int k = 0; k < M; k++) square += w[i * M + k] * w[i * M + k];
    vec d = where_positive(square, square - 1.0f);
    gb[i] = d;
    for (int k = 0; k < M; k++) gw[i * M + k] = 2.0f * d * w[i * M + k];
  }
  for (int i = 0; i < N; i++) {
    vec own[M], sum[M], bias_sum = gb[i];
    for (int k = 0; k < M; k++) own[k] = w[i * M + k];
    for (int k = 0; k < M; k++) sum[k] = gw[i * M + k];
    for (int j = i + 1; j < N; j++) {
      vec product = own[0] * w[j * M];
      for (int k = 1; k < M; k++) product += own[k] * w[j * M + k];
      vec z_i = product + b[i], z_j = product + b[j];
      vec d_i = where_positive(z_i, z_i), d_j = where_positive(z_j, z_j);
      vec d = d_i + d_j;
      bias_sum += d_i;
      gb[j] += d_j;
      for (int k = 0; k < M; k++) sum[k] += d * w[j * M + k];
      for (int k = 0; k < M; k++) gw[j * M + k] += d * own[k];
    }
    gb[i] = bias_sum;
    for (int k = 0; k < M; k++) gw[i * M + k] = sum[k];
  }
}

static void train_block(vec *x, vec *scratch, long num_steps) {
  vec *restrict g = scratch;
  vec *restrict mean = g + NUM_PARAMS, *restrict square = mean + NUM_PARAMS;
  const double scale = 2.0 / (N * N);
  const float of_mean = (float)((1.0 - BETA_1) * scale);
  const float of_square = (float)((1.0 - BETA_2) * scale * scale);
  double power_1 = 1.0, power_2 = 1.0;
  for (int i = 0; i < 2 * NUM_PARAMS; i++) mean[i] = x[0] * 0.0f;
  for (long step = 0; step < num_steps; step++) {
    gradient(x, g);
    power_1 *= BETA_1;
    power_2 *= BETA_2;
    const float rate = (float)(LEARNING_RATE / (1.0 - power_1));
    const float correction = (float)(1.0 / (1.0 - power_2));
    const float keep = (float)(1.0 - LEARNING_RATE * WEIGHT_DECAY);
    for (int i = 0; i < NUM_PARAMS; i++) {
      mean[i] = (float)BETA_1 * mean[i] + of_mean * g[i];
      square[i] = (float)BETA_2 * square[i] + of_square * g[i] * g[i];
      x[i] = keep * x[i] -
             rate * mean[i] / (root(square[i] * correction) + (float)EPS);
    }
  }
}
