/* A text MLP under full-batch SGD: embedding, two ReLU layers, logits.

   The parameters are the embedding [V][M], then for each of three layers its
   weights [inputs][outputs] and its bias [outputs]. PAIRS lists the tokens and
   their next tokens; the loss is the mean cross entropy over them. */

#define NUM_PARAMS (V * M + 2 * (M * M + M) + M * V + V)
#define NUM_SCRATCH 1
#include "seed_steps.h"

static const int pairs[][2] = {PAIRS};
enum { NUM_PAIRS = sizeof(pairs) / sizeof(pairs[0]) };

static inline void dense(const vec *a, const vec *w, int outputs, vec *z) {
  for (int j = 0; j < outputs; j++) {
    z[j] = w[M * outputs + j];
    for (int k = 0; k < M; k++) z[j] += a[k] * w[k * outputs + j];
  }
}

/* Adds the gradient of the layer to gw and puts that of its input into da. */
static inline void dense_back(const vec *a, const vec *w, int outputs,
                              const vec *dz, vec *gw, vec *da) {
  for (int j = 0; j < outputs; j++) gw[M * outputs + j] += dz[j];
  for (int k = 0; k < M; k++) {
    da[k] = a[k] * 0.0f;
    for (int j = 0; j < outputs; j++) {
      gw[k * outputs + j] += a[k] * dz[j];
      da[k] += w[k * outputs + j] * dz[j];
    }
  }
}

static inline void gradient(const vec *restrict x, vec *restrict g) {
  enum { W1 = V * M, W2 = W1 + M * M + M, W3 = W2 + M * M + M };
  for (int i = 0; i < NUM_PARAMS; i++) g[i] = x[i] * 0.0f;
  for (int p = 0; p < NUM_PAIRS; p++) {
    const vec *a0 = x + pairs[p][0] * M;
    vec z1[M], a1[M], z2[M], a2[M], z3[V], da[M];
    dense(a0, x + W1, M, z1);
    for (int k = 0; k < M; k++) a1[k] = where_positive(z1[k], z1[k]);
    dense(a1, x + W2, M, z2);
    for (int k = 0; k < M; k++) a2[k] = where_positive(z2[k], z2[k]);
    dense(a2, x + W3, V, z3);
    vec top = z3[0], total = x[0] * 0.0f;
    for (int j = 1; j < V; j++) top = larger(top, z3[j]);
    for (int j = 0; j < V; j++) total += z3[j] = exponential(z3[j] - top);
    vec scale = (1.0f / NUM_PAIRS) / total;
    for (int j = 0; j < V; j++) z3[j] *= scale;
    z3[pairs[p][1]] -= 1.0f / NUM_PAIRS;
    dense_back(a2, x + W3, V, z3, g + W3, da);
    for (int k = 0; k < M; k++) z2[k] = where_positive(z2[k], da[k]);
    dense_back(a1, x + W2, M, z2, g + W2, da);
    for (int k = 0; k < M; k++) z1[k] = where_positive(z1[k], da[k]);
    dense_back(a0, x + W1, M, z1, g + W1, da);
    for (int k = 0; k < M; k++) g[pairs[p][0] * M + k] += da[k];
  }
}

static void train_block(vec *x, vec *g, long num_steps) {
  for (long step = 0; step < num_steps; step++) {
    gradient(x, g);
    for (int i = 0; i < NUM_PARAMS; i++) x[i] -= (float)LEARNING_RATE * g[i];
  }
}
