"""PyTorch, eager: all replicas in one tensor, every buffer made once, nothing differentiated.

The gradients are written out: autograd would keep and allocate every intermediate value.
"""

from __future__ import annotations

import torch

from peers.problem import Array, Problem, Run


def prepare(problem: Problem, threads: int) -> Run:
    torch.set_num_threads(threads)
    return _logistic(problem) if problem.logistic else _network(problem)


def prepare_compiled(problem: Problem, threads: int) -> Run:
    """``torch.compile`` of the step as a pure function, which is what it fuses best."""
    torch.set_num_threads(threads)
    n = problem.numbers
    A = torch.from_numpy(problem.margins())
    At, scaled = A.T.contiguous(), A / len(A)
    start = torch.from_numpy(problem.start)
    shape = (len(start), len(A))

    @torch.compile
    def step(w: torch.Tensor) -> torch.Tensor:
        delta, epsilon = (2.0 * torch.rand(shape, dtype=w.dtype) - 1.0 for _ in range(2))
        v = torch.sigmoid(torch.addmm(n.forward * delta, w, At)) + n.backward * epsilon
        g = torch.mm(v, scaled) + 2.0 * n.strength * w / (1.0 + w * w) ** 2
        return w - n.step_size * (g + n.noise_std * torch.randn_like(w))

    @torch.no_grad()
    def run(steps: int, seed: int) -> Array:
        torch.manual_seed(seed)
        w = start
        for _ in range(steps):
            w = step(w)
        return w.numpy()

    return run


def _logistic(problem: Problem) -> Run:
    n = problem.numbers
    A = torch.from_numpy(problem.margins())
    start = torch.from_numpy(problem.start)
    R, M = len(start), len(A)
    scaled, At = A / M, A.T.contiguous()
    z = torch.empty(R, M, dtype=torch.float64)
    epsilon, xi = torch.empty_like(z), torch.empty_like(start)

    @torch.inference_mode()
    def run(steps: int, seed: int) -> Array:
        rng = torch.Generator().manual_seed(seed)
        w = start.clone()
        for _ in range(steps):
            z.uniform_(-n.forward, n.forward, generator=rng).addmm_(w, At).sigmoid_()
            z.add_(epsilon.uniform_(-n.backward, n.backward, generator=rng))
            g = xi.normal_(0.0, 1.0, generator=rng).mul_(n.noise_std).addmm_(z, scaled)
            g.addcdiv_(w, (w * w).add_(1.0).square_(), value=2.0 * n.strength)
            w.sub_(g, alpha=n.step_size)
        return w.numpy()

    return run


def _network(problem: Problem) -> Run:
    n, layers = problem.numbers, problem.layers()
    start = torch.from_numpy(problem.start)
    R, M = len(start), len(problem.labels)
    x = torch.from_numpy(problem.features).expand(R, -1, -1)
    labels = torch.from_numpy(problem.labels)[None, :, None]
    units = [shape[0] for _, shape, _ in layers]
    kept = [torch.empty(R, M, m, dtype=torch.float64) for m in units]  # tanh, then 1 − tanh²
    path = [x, *(torch.empty(R, M, m, dtype=torch.float64) for m in units)]
    back = [torch.empty(R, M, m, dtype=torch.float64) for m in units]
    g = torch.empty_like(start)
    parts = [(g[:, a].view(R, *s), g[:, c].view(R, 1, -1)) for a, s, c in layers]

    @torch.inference_mode()
    def run(steps: int, seed: int) -> Array:
        rng = torch.Generator().manual_seed(seed)
        w = start.clone()
        weights = [(w[:, a].view(R, *s), w[:, c].view(R, 1, -1)) for a, s, c in layers]
        last = len(layers)
        for _ in range(steps):
            for i, (W, c) in enumerate(weights):
                if i == last - 1:
                    torch.baddbmm(c, path[i], W.mT, out=path[i + 1])
                else:
                    torch.baddbmm(c, path[i], W.mT, out=kept[i]).tanh_()
                    path[i + 1].uniform_(-n.forward, n.forward, generator=rng).add_(kept[i])
                    kept[i].square_().neg_().add_(1.0)
            v = torch.sub(path[last], labels, out=back[-1]).div_(M)
            for i in range(last - 1, -1, -1):
                if i < last - 1:
                    v.mul_(kept[i])
                torch.bmm(v.mT, path[i], out=parts[i][0])
                torch.sum(v, dim=1, keepdim=True, out=parts[i][1])
                if i:
                    v = torch.bmm(v, weights[i][0], out=back[i - 1])
            g.add_(torch.randn(g.shape, dtype=torch.float64, generator=rng), alpha=n.noise_std)
            w.sub_(g, alpha=n.step_size)
        return w.numpy()

    return run
