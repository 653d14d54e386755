/* Standard normal numbers by NumPy's ziggurat method, bit for bit.

   G. Marsaglia and W. W. Tsang, The Ziggurat Method for Generating Random Variables, Journal of
   Statistical Software 5(8), 2000: 256 layers of equal area.  A word gives the layer (8 bits),
   the sign (1) and a position k (52).  With the layer's width per position `step`, x = k·step is
   taken at once where k is below the layer's `inner`; else x lies in the wedge of the layer, or,
   in layer 0, a number of the tail beyond R is drawn.

   `tables` are the three columns step, inner and height, of 256 numbers each. */

#ifndef BOUNDCALC_NORMAL_H
#define BOUNDCALC_NORMAL_H
#include "random.h"

#define LAYERS 256
#define TAIL 3.6541528853610088           /* R */
#define TAIL_INVERSE 0.27366123732975828  /* 1/R */

/* The sign is bit 8 of a word.  No branch: half of all would be mispredicted. */
PURE double signed_by(const uint64_t word, const double size) {
  uint64_t bits;
  double x;
  memcpy(&bits, &size, sizeof x);
  bits ^= word << 55 & 0x8000000000000000ULL;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Words drawn in advance, and the stream that goes on after them. */
typedef struct {
  const uint64_t *words;
  int at, count;
  Stream stream;
} Tape;

PURE uint64_t take_word(Tape *tape) {
  return tape->at < tape->count ? tape->words[tape->at++] : next_word(&tape->stream);
}

/* Marsaglia's exponential majorant of the tail. */
static double normal_tail(Tape *tape, const uint64_t position) {
  for (;;) {
    double x = -TAIL_INVERSE * log1p(-uniform_of(take_word(tape)));
    ROUNDED(&x);
    const double y = -log1p(-uniform_of(take_word(tape)));
    if (y + y > x * x) return (position >> 8) & 1 ? -(TAIL + x) : TAIL + x;
  }
}

/* The normal number that begins with a word outside the inner part of its layer. */
static __attribute__((noinline)) double normal_beyond(Tape *tape, uint64_t word,
                                                      const double *tables) {
  const double *step = tables, *inner = step + LAYERS, *height = inner + LAYERS;
  for (;; word = take_word(tape)) {
    const int layer = (int)(word & (LAYERS - 1));
    const uint64_t position = (word >> 9) & 0xfffffffffffffULL;
    const double x = signed_by(word, (double)(int64_t)position * step[layer]);
    if ((double)(int64_t)position < inner[layer]) return x;
    if (layer == 0) return normal_tail(tape, position);
    double between = (height[layer - 1] - height[layer]) * uniform_of(take_word(tape));
    ROUNDED(&between);
    if (between + height[layer] < exp(-0.5 * x * x)) return x;
  }
}

/* The first of the numbers come from `given` words that were drawn from the stream before. */
PURE void normals_from(uint64_t *state, const uint64_t *words, const int given,
                       const double *tables, double *restrict out, const int count) {
  Stream s = stream_of(state);
  int at = 0;
  for (int k = 0; k < count; k++) {
    const uint64_t word = at < given ? words[at++] : next_word(&s);
    const int layer = (int)(word & (LAYERS - 1));
    const double position = (double)(int64_t)((word >> 9) & 0xfffffffffffffULL);
    if (__builtin_expect(position < tables[LAYERS + layer], 1)) {
      out[k] = signed_by(word, position * tables[layer]);
    } else { /* a copy, so that the stream itself stays in registers */
      Tape tape = {words, at, given, s};
      out[k] = normal_beyond(&tape, word, tables);
      s = tape.stream, at = tape.at;
    }
  }
  keep_stream(s, state);
}

/* Every number takes a word at least, so that many are drawn at once. */
#define DRAWN_WORDS 256

static void fill_normal(uint64_t *state, const double *tables, double *restrict out,
                        const int count) {
  uint64_t words[DRAWN_WORDS];
  for (int done = 0; done < count; done += DRAWN_WORDS) {
    const int part = count - done < DRAWN_WORDS ? count - done : DRAWN_WORDS;
    fill_words(state, words, part);
    normals_from(state, words, part, tables, out + done, part);
  }
}

static void fill_normal4(uint64_t *const *states, const double *tables, double *const *out,
                         const int count) {
  uint64_t words[STREAMS][DRAWN_WORDS];
  uint64_t *const rows[STREAMS] = {words[0], words[1], words[2], words[3]};
  for (int done = 0; done < count; done += DRAWN_WORDS) {
    const int part = count - done < DRAWN_WORDS ? count - done : DRAWN_WORDS;
    fill_words4(states, rows, part);
    for (int j = 0; j < STREAMS; j++)
      normals_from(states[j], rows[j], part, tables, out[j] + done, part);
  }
}

#endif
