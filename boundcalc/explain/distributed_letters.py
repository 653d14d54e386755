"""Letters of the constants of distributed SGD that words explain."""

from __future__ import annotations

from boundcalc.explain.entry import Input, letter

_DECAY = letter("s_k", "the schedule's decay at step k (docs/theory-distributed.md, Theorem 12.5)")
_LENGTH = letter(r"\gamma_k", "the length of step k, as the schedule gives it")
_DRIFT = letter(
    r"\Xi_\nu", "the noise's distribution function, less ½ (docs/theory-distributed.md, Lemma 12.7)"
)
_SNR = Input("s", "largest signal-to-noise ratio", spec="distributed.snr")
LETTERS: dict[str, tuple[Input, ...]] = {
    "psi": (
        letter("e", "Euler's number"),
        letter("u", "the most that L₁ ‖xₖ₊₁ − xₖ‖ can be (docs/theory-distributed.md, Lemma 12.4)"),
    ),
    "phi_1": (_DECAY,),
    "phi_2": (_DECAY,),
    "c_nu": (_DRIFT,),
    "l_nu": (_DRIFT, _SNR),
    "M_nu": (letter(r"\Xi_\nu'", "the noise's density (docs/theory-distributed.md, Lemma 12.7)"),),
    "sum_of_steps": (_LENGTH,),
    "sum_of_squared_steps": (_LENGTH,),
}
