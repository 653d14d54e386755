"""Certificates of long chains: pytest tests/benchmarks --benchmark-only.

Nothing here asserts a time; docs/certificates.md has the numbers of one machine.
"""

import pytest

import boundcalc as bc
from boundcalc.verify.certificate import checker
from boundcalc.verify.certificate.write import certificate_text


def chain(size, mean):
    """Every operator with constants of its own, noise everywhere, and both rates."""
    lines = "".join(
        f"    - {{id: f{k}, constants: {{jac_input: {1000 + k % 5 - 2}/1000, "
        f"jac_weight: 1/{1 + k % 3}, hess_input: 1/4, hess_mixed: 1/5, third_input: 1/9, "
        f"third_mixed: 1/{7 + k % 4}}}}}\n"
        for k in range(1, size + 1)
    )
    return (
        f"version: 1\nname: chain\ngraph:\n  operators:\n{lines}perturbations:\n"
        f"  - {{at: 'f*', pass: forward, rms: 1/1000, mean: {mean}}}\n"
        f"  - {{at: 'f*', pass: backward, rms: 1/100, mean: {mean}}}\n"
        "loss: {smoothness: 1, pl: 1/10, initial_gap: 1, gradient_noise: 1/10, batch: 8}\n"
        "training: {step_size: 1/100, horizon: 10000}\n"
    )


@pytest.mark.benchmark(group="certificate of a chain: certify")
@pytest.mark.parametrize("mean", ["0", "1/10000"], ids=["zero-mean", "general"])
@pytest.mark.parametrize("size", [100, 1000])
def test_certify(benchmark, size, mean):
    graph = bc.build(bc.loads(chain(size, mean)))
    assert benchmark.pedantic(certificate_text, (graph,), rounds=3)


@pytest.mark.benchmark(group="certificate of a chain: check")
@pytest.mark.parametrize("mean", ["0", "1/10000"], ids=["zero-mean", "general"])
@pytest.mark.parametrize("size", [100, 1000])
def test_check(benchmark, size, mean):
    text = certificate_text(bc.build(bc.loads(chain(size, mean)))).encode()
    report = benchmark.pedantic(checker.check, (text,), rounds=3)
    assert [claim["quantity"] for claim in report["proved"]] == ["error", "bias", "nonconvex", "pl"]
