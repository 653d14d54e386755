/* NumPy's SFC64 generator, one stream at a time or four in the lanes of vectors.

   A stream is the four words of `bit_generator.state["state"]["state"]`.  Its numbers are those
   of NumPy, bit for bit and in the same order; buffered halves of words are not used.  For
   little-endian machines, as all that run NumPy's wheels are. */

#ifndef BOUNDCALC_RANDOM_H
#define BOUNDCALC_RANDOM_H
#include "base.h"

#define STREAMS 4    /* that are moved on together */
#define UNIT 0x1p-53 /* uniform numbers are its multiples in [0, 1) */

/* Where a product is rounded before something is added, as in NumPy: no compiler may fuse the
   two.  What is behind the pointer is written before this, and read again after it. */
#define ROUNDED(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")

typedef struct {
  uint64_t a, b, c, d;
} Stream;

PURE Stream stream_of(const uint64_t *state) {
  return (Stream){state[0], state[1], state[2], state[3]};
}

PURE void keep_stream(const Stream s, uint64_t *state) {
  state[0] = s.a, state[1] = s.b, state[2] = s.c, state[3] = s.d;
}

/* C. Doty-Humphrey's Small Fast Counting generator with 64-bit words. */
PURE uint64_t next_word(Stream *s) {
  const uint64_t word = s->a + s->b + s->d;
  s->d += 1;
  s->a = s->b ^ (s->b >> 11);
  s->b = s->c + (s->c << 3);
  s->c = (s->c << 24 | s->c >> 40) + word;
  return word;
}

PURE double uniform_of(const uint64_t word) { return (double)(int64_t)(word >> 11) * UNIT; }
PURE double next_uniform(Stream *s) { return uniform_of(next_word(s)); }

static void fill_words(uint64_t *state, uint64_t *restrict out, const int count) {
  Stream s = stream_of(state);
  for (int k = 0; k < count; k++) out[k] = next_word(&s);
  keep_stream(s, state);
}

static void fill_uniform(uint64_t *state, double *restrict out, const int count) {
  Stream s = stream_of(state);
  for (int k = 0; k < count; k++) out[k] = next_uniform(&s);
  keep_stream(s, state);
}

/* ---- four streams at once ---------------------------------------------------------------- */

typedef uint64_t Words __attribute__((vector_size(32)));
typedef double Reals __attribute__((vector_size(32)));
typedef uint32_t Halves __attribute__((vector_size(32)));
typedef uint8_t Bytes __attribute__((vector_size(32)));
typedef Words LooseWords __attribute__((aligned(8), may_alias));

#ifdef __clang__
#define SHUFFLED(type, x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define SHUFFLED(type, x, y, ...) __builtin_shuffle(x, y, (type){__VA_ARGS__})
#endif

typedef struct {
  Words a, b, c, d;
} Four;

#define WORD(j) (Words){states[0][j], states[1][j], states[2][j], states[3][j]}
PURE Four gathered(uint64_t *const *states) {
  return (Four){WORD(0), WORD(1), WORD(2), WORD(3)};
}
#undef WORD

PURE void scattered(const Four s, uint64_t *const *states) {
  const Words parts[4] = {s.a, s.b, s.c, s.d};
  for (int word = 0; word < 4; word++)
    for (int k = 0; k < 4; k++) states[k][word] = parts[word][k];
}

/* To the left by 24 bits: three bytes. */
PURE Words rotated(const Words x) {
  const Bytes y = (Bytes)x;
  return (Words)SHUFFLED(Bytes, y, y, 5, 6, 7, 0, 1, 2, 3, 4, 13, 14, 15, 8, 9, 10, 11, 12, 21,
                         22, 23, 16, 17, 18, 19, 20, 29, 30, 31, 24, 25, 26, 27, 28);
}

PURE Words next_words(Four *s) {
  const Words word = s->a + s->b + s->d;
  s->d += 1;
  s->a = s->b ^ (s->b >> 11);
  s->b = s->c + (s->c << 3);
  s->c = rotated(s->c) + word;
  return word;
}

/* Rows of one number of each stream become rows of four numbers of one stream. */
PURE void transposed(Words *x) {
  const Words low0 = SHUFFLED(Words, x[0], x[1], 0, 4, 2, 6);
  const Words high0 = SHUFFLED(Words, x[0], x[1], 1, 5, 3, 7);
  const Words low1 = SHUFFLED(Words, x[2], x[3], 0, 4, 2, 6);
  const Words high1 = SHUFFLED(Words, x[2], x[3], 1, 5, 3, 7);
  x[0] = SHUFFLED(Words, low0, low1, 0, 1, 4, 5);
  x[1] = SHUFFLED(Words, high0, high1, 0, 1, 4, 5);
  x[2] = SHUFFLED(Words, low0, low1, 2, 3, 6, 7);
  x[3] = SHUFFLED(Words, high0, high1, 2, 3, 6, 7);
}

/* 53 bits as floats without a conversion of integers, which AVX2 lacks: the low 32 bits under
   the exponent of 2^-1, the high 21 under that of 2^31, and both exponents taken off. */
PURE Words uniforms_of(const Words words) {
  const Halves bits = (Halves)(words >> 11), half = (Halves)((Words){0} + 0x3fe0000000000000ULL);
  const Words low = (Words)SHUFFLED(Halves, bits, half, 0, 9, 2, 11, 4, 13, 6, 15);
  const Words high = (words >> 43) | 0x41e0000000000000ULL;
  return (Words)(((Reals)high - (0x1p31 + 0.5)) + (Reals)low);
}

/* The next `count` words of four streams, or the uniform numbers made of them. */
PURE void fill_four(uint64_t *const *states, void *const o0, void *const o1, void *const o2,
                    void *const o3, const int count, const int uniform) {
  char *const out[4] = {o0, o1, o2, o3};
  Four s = gathered(states);
  int k = 0;
  for (; k + 4 <= count; k += 4) {
    Words x[4];
    for (int j = 0; j < 4; j++) {
      x[j] = next_words(&s);
      if (uniform) x[j] = uniforms_of(x[j]);
    }
    transposed(x);
    for (int j = 0; j < 4; j++) *(LooseWords *)(out[j] + 8 * k) = x[j];
  }
  scattered(s, states);
  for (int j = 0; j < 4 && k < count; j++) {
    if (uniform) fill_uniform(states[j], (double *)out[j] + k, count - k);
    else fill_words(states[j], (uint64_t *)out[j] + k, count - k);
  }
}

static void fill_uniform4(uint64_t *const *states, double *const *out, const int count) {
  fill_four(states, out[0], out[1], out[2], out[3], count, 1);
}

static void fill_words4(uint64_t *const *states, uint64_t *const *out, const int count) {
  fill_four(states, out[0], out[1], out[2], out[3], count, 0);
}

#endif
