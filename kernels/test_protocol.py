"""Kernels are found by name, file and module, and what is not found is said in one line."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deltacheck.kernels import BUILT_IN, Kernel, KernelLike, Network, load, value_and_grad_of
from deltacheck.suites.selection import Selection

KERNEL = """
class {name}:
    def __init__(self, network): self.network = network
    def forward(self, theta, x): return (x,)
    def backward(self, theta, a, y): return theta * 0
"""


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_kernels_load_and_satisfy_the_protocol(name):
    assert isinstance(load(name)(Network((2, 1))), KernelLike)


def test_a_file_a_module_and_a_class_of_several(write, tmp_path, monkeypatch):
    path = write("mine.py", "import numpy as np\nfrom deltacheck.kernels import Kernel, Network\n" + KERNEL.format(name="Mine"))
    assert load(path).__name__ == "Mine"
    assert load(path) is load(path), "a file is run once"
    two = write("two.py", KERNEL.format(name="One") + KERNEL.format(name="Two"))
    assert load(two + ":Two").__name__ == "Two"
    monkeypatch.syspath_prepend(tmp_path)
    assert load("mine").__name__ == "Mine"
    assert load("two:One").__name__ == "One"
    with pytest.raises(ValueError, match="holds 2 kernels; add :One or :Two"):
        load(two)


def test_files_of_the_same_name_never_meet(tmp_path):
    classes = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "k.py").write_text(KERNEL.format(name=folder.upper()))
        classes.append(load(str(tmp_path / folder / "k.py")).__name__)
    assert classes == ["A", "B"]


def test_a_file_may_import_its_neighbours(write):
    write("neighbour_of_mine.py", "SCALE = 3")
    path = write("with_neighbour.py", "import neighbour_of_mine\n" + KERNEL.format(name="Mine"))
    assert load(path).__name__ == "Mine"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("empty.py", "", "holds no class with forward(theta, x) and backward(theta, a, y)"),
        ("half.py", "class Half:\n    def forward(self, theta, x): pass", "holds no class with forward(theta, x) and backward"),
        (
            "inherits.py",
            "from deltacheck.kernels import Kernel\nclass Half(Kernel):\n    def forward(self, theta, x): pass",
            "holds no class",
        ),
        ("broken.py", "def forward(:", "failed: SyntaxError: "),
        ("raises.py", "1 / 0", "failed: ZeroDivisionError: division by zero"),
        ("leaves.py", "raise SystemExit(0)", "failed: SystemExit: 0"),
        ("missing.py", "import no_such_module", "failed: ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
def test_files_without_a_kernel_are_refused_in_one_line(write, name, text, message):
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        load(write(name, text))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nampy", "got 'nampy', which is neither a built-in name nor a module; expected naive, numpy, numba"),
        ("no/such/file.py", "no file at no/such/file.py"),
        ("deltacheck.kernels.naive:Missing", "it names Missing, which is not there; add :NaiveKernel"),
        ("kernels:Network", "it names Network, which is no class with forward and backward"),
        ("", "got ''; expected naive"),
    ],
)
def test_names_that_stand_for_nothing_are_refused(name, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        load(name)


def test_value_and_grad_is_optional(write):
    network = Network((2, 2))
    bare = load(write("bare.py", KERNEL.format(name="Bare")))(network)
    theta, x, y = np.ones(6), np.ones((3, 2)), np.zeros((3, 2))
    cost, dtheta = value_and_grad_of(bare, network)(theta, x, y)
    assert cost == 3.0
    np.testing.assert_array_equal(dtheta, np.zeros(6))

    class Inherited(Kernel):
        def forward(self, theta, x):
            return (x,)

        def backward(self, theta, a, y):
            return theta * 0

    assert Inherited(network).value_and_grad(theta, x, y)[0] == 3.0


def test_selected_kernels_have_short_labels(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "k.py").write_text(KERNEL.format(name="K"))
    a, b = str(tmp_path / "a" / "k.py"), str(tmp_path / "b" / "k.py")
    assert list(Selection.parse(kernel=["numpy", a, "numpy"]).kernels) == ["numpy", "k"]
    assert list(Selection.parse(kernel=[a, b]).kernels) == [a, b], "files of one name are told apart"
    assert list(Selection.parse(kernel=[a + ":K"]).kernels) == ["k:K"]


def test_labels_do_not_mislead(tmp_path, monkeypatch):
    (tmp_path / "x.pyenv").mkdir()
    path = tmp_path / "x.pyenv" / "numpy.py"
    path.write_text(KERNEL.format(name="K"))
    assert list(Selection.parse(kernel=[str(path)]).kernels) == [str(path)], "not to be taken for the built-in one"
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "some_pykernels.py").write_text(KERNEL.format(name="K"))
    assert list(Selection.parse(kernel=["some_pykernels:K"]).kernels) == ["some_pykernels:K"]
    (tmp_path / "leaving.py").write_text("raise SystemExit(1)")
    with pytest.raises(ValueError, match="importing leaving failed: SystemExit: 1"):
        load("leaving")


def test_equal_networks_come_once():
    chosen = Selection.parse(layers=["4-3"], activation=["relu", "tanh"], cost=["cross_entropy"])
    assert len(chosen.networks([])) == 1


def test_a_selection_crosses_its_axes():
    chosen = Selection.parse(layers=["3-3-2", "4-3-2"], activation=["tanh", "relu"], cost=["cross_entropy"], batch=["5", "5"])
    assert len(chosen.networks(default_layers=[])) == 4
    assert chosen.batches == (5,)
    assert Selection.parse(layers=["3-4-2"], activation=["tanh,relu"]).networks([])[0].activations == ("tanh", "relu")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": ["3"]}, "--layers: got '3'; expected at least two whole numbers"),
        ({"layers": ["3-x"]}, "--layers: got '3-x'"),
        ({"layers": ["3-0"]}, "--layers: got '3-0'"),
        ({"layers": ["3-²"]}, "--layers: got '3-²'"),
        ({"batch": ["0"]}, "--batch: got '0'; expected a whole number, 1 to 99999999"),
        ({"batch": ["many"]}, "--batch: got 'many'"),
        ({"dtype": ["float16"]}, "--dtype: got 'float16'; expected float32 or float64"),
        ({"cost": ["hinge"]}, "--cost: got 'hinge'"),
        ({"activation": ["sine"]}, "--activation: got 'sine'"),
        ({"activation": ["tanh,relu"]}, "--activation: one name for each layer was given; expected --layers beside it"),
        ({"activation": ["tanh,relu"], "layers": ["3-2"]}, "--activation: got 2 names; expected one, or 1"),
        ({"kernel": ["nampy"]}, "--kernel: got 'nampy'"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Selection.parse(**options)
