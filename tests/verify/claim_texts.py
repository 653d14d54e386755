"""Claim files for tests."""


def claim_text(
    forward: str = "6*N*L**2",
    backward: str = "2*sum(j, 1, i, C**(2*j))",
    *,
    operators: object = 2,
    constants: str = "{C: [0, 1], L: [0, 2]}",
    uniform: str = "{jac: C, hess: L}",
    extra: str = "",
) -> str:
    forward, backward = (
        x if x[0] in "[{'" or x == "true" else f"'{x}'" for x in (forward, backward)
    )
    return (
        f"version: 1\nclaim: mine\nstatement: error\noperators: {operators}\n"
        f"constants: {constants}\nuniform: {uniform}\n"
        f"coefficients: {{forward: {forward}, backward: {backward}}}\n{extra}"
    )


def bias_text(
    mean: str, fourth: str, back: str, constants: str, *, size: int, zero_mean: bool
) -> str:
    return (
        f"version: 1\nclaim: mine\nstatement: bias\noperators: {size}\nconstants: {constants}\n"
        "uniform: {jac: C, hess: L, third: T}\n"
        f"coefficients: {{forward_mean: '{mean}', forward_fourth: '{fourth}', "
        f"backward_mean: '{back}'}}\nassumptions: {{zero_mean: {str(zero_mean).lower()}}}\n"
    )
