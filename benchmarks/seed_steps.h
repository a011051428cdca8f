/* What the C peers of seed_steps share: lanes, packing and threads.

   With LANES 1 a vec is a float, and a block is one seed: the scalar loop. With
   more a vec holds the same number of so many seeds: the vectorised loop. The
   including file defines NUM_PARAMS and train_block. */

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#if LANES == 1
typedef float vec;
#define LANE(x, l) (x)

static inline vec where_positive(vec z, vec x) { return z > 0.0f ? x : 0.0f; }
static inline vec larger(vec x, vec y) { return x > y ? x : y; }
static inline vec exponential(vec x) { return expf(x); }
#else
typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int ivec __attribute__((vector_size(4 * LANES)));
#define LANE(x, l) ((x)[l])

static inline vec where_positive(vec z, vec x) {
  return (vec)((ivec)x & (z > 0.0f));
}

static inline vec larger(vec x, vec y) {
  ivec above = x > y;
  return (vec)(((ivec)x & above) | ((ivec)y & ~above));
}

/* exp by 2^n times a polynomial on [-ln 2 / 2, ln 2 / 2], for x in -80..80. */
static inline vec exponential(vec x) {
  x = larger(x, x * 0.0f - 80.0f);
  vec t = x * 1.44269504f;
  vec half = where_positive(t, t * 0.0f + 1.0f) - 0.5f;
  ivec n = __builtin_convertvector(t + half, ivec);
  vec whole = __builtin_convertvector(n, vec);
  vec r = x - whole * 0.693359375f + whole * 2.12194440e-4f;
  vec p = 1.9875691500e-4f * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return (p * r * r + r + 1.0f) * (vec)((n + 127) << 23);
}
#endif

static inline vec root(vec x) {
  vec y;
  for (int l = 0; l < LANES; l++) LANE(y, l) = sqrtf(LANE(x, l));
  return y;
}

typedef struct {
  float *params; /* [S][NUM_PARAMS] */
  long num_seeds, num_steps, first, last;
} share;

/* Trains the seeds of one block, whose parameters are x[NUM_PARAMS]. */
static void train_block(vec *x, vec *scratch, long num_steps);

static void *run_share(void *argument) {
  const share *own = argument;
  size_t size = sizeof(vec) * NUM_PARAMS;
  vec *x = aligned_alloc(sizeof(vec), size);
  vec *scratch = aligned_alloc(sizeof(vec), NUM_SCRATCH * size);
  for (long start = own->first; start < own->last; start += LANES) {
    for (int l = 0; l < LANES; l++) {
      long seed = start + l < own->last ? start + l : own->last - 1;
      for (int i = 0; i < NUM_PARAMS; i++)
        LANE(x[i], l) = own->params[seed * NUM_PARAMS + i];
    }
    train_block(x, scratch, own->num_steps);
    for (int l = 0; l < LANES && start + l < own->last; l++)
      for (int i = 0; i < NUM_PARAMS; i++)
        own->params[(start + l) * NUM_PARAMS + i] = LANE(x[i], l);
  }
  free(x);
  free(scratch);
  return NULL;
}

/* Trains all seeds in place; returns 0, or 1 where a thread did not start. */
int train(float *params, long num_seeds, long num_steps, int num_threads) {
  pthread_t threads[num_threads];
  share shares[num_threads];
  long num_blocks = (num_seeds + LANES - 1) / LANES;
  int failed = 0, started = 0;
  for (int t = 0; t < num_threads; t++) {
    long first = num_blocks * t / num_threads * LANES;
    long last = num_blocks * (t + 1) / num_threads * LANES;
    if (last > num_seeds) last = num_seeds;
    shares[t] = (share){params, num_seeds, num_steps, first, last};
    failed = pthread_create(&threads[t], NULL, run_share, &shares[t]) != 0;
    if (failed) break;
    started++;
  }
  for (int t = 0; t < started; t++) pthread_join(threads[t], NULL);
  return failed;
}
