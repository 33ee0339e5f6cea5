"""YAML text to data that knows its lines, and the --set overrides."""

import pytest

from scenarios.errors import ScenarioError
from scenarios.source import MAX_BYTES, MAX_DEPTH, dotted, item_name, read_source, read_yaml

TEXT = """\
# a comment
name: a

fleet:
  - pool: cpu
    chips: 8
  - {pool: gpu,
     chips: 4}
workload:
  - class: log
    arrivals: {per_hour: 4}
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(TEXT)
    return read_source(path)


def refused(tmp_path, raw: bytes) -> str:
    path = tmp_path / "s.yaml"
    path.write_bytes(raw)
    with pytest.raises(ScenarioError) as error:
        read_source(path)
    return str(error.value).removeprefix(str(path))


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("name",), 2),
        (("fleet",), 4),
        (("fleet", 0, "pool"), 5),
        (("fleet", 0, "chips"), 6),
        (("fleet", 1), 7),
        (("fleet", 1, "chips"), 8),
        (("workload", 0, "arrivals", "per_hour"), 11),
    ],
)
def test_every_key_knows_its_line(source, key, line):
    assert source.where(*key) == f"{source.path}:{line}"


def test_a_key_that_is_not_written_has_the_line_of_the_nearest_around_it(source):
    assert source.where("fleet", 1, "rack") == f"{source.path}:7"
    assert source.where("workload", 0, "arrivals", "weekend") == f"{source.path}:11"


def test_set_addresses_list_items_by_name(source):
    source.set("fleet.gpu.chips=16")
    source.set("workload.log.arrivals.per_hour=2.5")
    assert [pool["chips"] for pool in source.data["fleet"]] == [8, 16]
    assert source.data["workload"][0]["arrivals"] == {"per_hour": 2.5}


def test_set_makes_the_mappings_on_its_way(source):
    source.set("policy.order=sjf")
    assert source.data["policy"] == {"order": "sjf"}


def test_set_reads_its_value_as_yaml(source):
    source.set("a=[1, 2 s, true]")
    source.set("b=x=y")
    source.set("c=")
    assert (source.data["a"], source.data["b"], source.data["c"]) == ([1, "2 s", True], "x=y", None)


def test_an_overridden_key_and_all_below_it_are_at_the_option(source):
    source.set("workload.log.arrivals={per_hour: 5}", "sweep.yaml:3")
    label = "sweep.yaml:3 workload.log.arrivals={per_hour: 5}"
    assert source.where("workload", 0, "arrivals") == label
    assert source.where("workload", 0, "arrivals", "per_hour") == label
    assert source.where("workload", 0, "class") == f"{source.path}:10"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fleet.gpus.chips=1", "nothing is named 'gpus'; did you mean 'gpu'? (allowed: cpu, gpu)"),
        ("fleet.0.chips=1", "nothing is named '0' (allowed: cpu, gpu)"),
        ("name.x=1", "'x' stands below a value that holds no keys"),
        ("name.x.y=1", "'x' stands below a value that holds no keys"),
        ("seed", "found 'seed'; allowed: KEY=VALUE, such as horizon='30 days'"),
        (" =3", "found ' =3'; allowed: KEY=VALUE, such as horizon='30 days'"),
        ("seed=[", "is not YAML: expected the node content, but found '<stream end>'"),
        ("seed=&a 1", "YAML anchors and aliases are not allowed: write the value out"),
    ],
)
def test_a_set_that_cannot_be_applied_is_refused_by_its_option(source, text, said):
    with pytest.raises(ScenarioError) as error:
        source.set(text)
    assert error.value.message == said
    assert error.value.where.startswith("--set")


def test_an_item_is_named_by_its_pool_or_class():
    assert [item_name({"pool": "a"}), item_name({"class": "b"}), item_name({"pool": 3}), item_name(4)] == [
        "a",
        "b",
        "",
        "",
    ]


def test_a_dotted_key_names_list_items_as_set_takes_them(source):
    assert dotted(("fleet", 1, "chips"), source.data) == "fleet.gpu.chips"
    assert dotted(("fleet", 7, "chips"), source.data) == "fleet.7.chips"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"a: 1\nb: 2\na: 3\n", ':3: is not YAML: found duplicate key "a"'),
        (b"a: 1\nb: &x 2\n", ":2: YAML anchors and aliases are not allowed"),
        (b"a: 1\nb: *x\n", ":2: YAML anchors and aliases are not allowed"),
        (b"a: 1\nb: !!python/object:os.system x\n", ":2: YAML tags are not allowed (found "),
        (b"a: 1\nb: !mine [1]\n", ":2: YAML tags are not allowed (found !mine)"),
        (b"a: 1\nb: [\n", ":3: is not YAML: "),
        (b"a: 1\nb: 2: 3\n", ":2: is not YAML: mapping values are not allowed here"),
        (b"a: 1\n--- \nb: 2\n", ":2: is not YAML: "),
        (b"a: \x00\n", ": is not YAML: "),
        (b"a: caf\xe9\n", ": is not UTF-8 text (byte 6)"),
        (b"", ":1: holds no keys; allowed: a mapping such as 'name: hello'"),
        (b"- a\n- b\n", ":1: holds no keys"),
        (b"just text\n", ":1: holds no keys"),
    ],
)
def test_a_file_that_is_no_plain_mapping_is_refused_with_its_line(tmp_path, raw, said):
    assert refused(tmp_path, raw).startswith(said)


def test_of_a_key_that_stands_twice_no_value_is_quoted(tmp_path):
    message = refused(tmp_path, b"a: {b: 2}\nc: 1\na: {d: 2}\n")
    assert message.endswith(':3: is not YAML: found duplicate key "a"')


def test_nesting_is_refused_beyond_the_deepest_level(tmp_path):
    deep = MAX_DEPTH - 1  # the file's own mapping is the first level
    path = tmp_path / "deep.yaml"
    path.write_text("a: " + "[" * deep + "]" * deep)
    assert list(read_source(path).data) == ["a"]
    more = "[" * (deep + 1) + "]" * (deep + 1)
    assert refused(tmp_path, f"b: 1\na: {more}\n".encode()) == f":2: nests deeper than {MAX_DEPTH} levels"


def test_a_bomb_of_brackets_is_refused_before_it_is_built(tmp_path):
    assert "nests deeper" in refused(tmp_path, b"a: " + b"[" * 200_000)


def test_size_is_refused_beyond_the_largest(tmp_path):
    path = tmp_path / "large.yaml"
    start = b"name: a\n#"
    path.write_bytes(start + b"x" * (MAX_BYTES - len(start)))
    assert read_source(path).data == {"name": "a"}
    large = start + b"x" * (MAX_BYTES + 1 - len(start))
    assert refused(tmp_path, large) == ": is larger than 256 KB, which no scenario needs"


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path):
    with pytest.raises(ScenarioError, match=r"nope\.yaml: cannot be read: No such file"):
        read_source(tmp_path / "nope.yaml")
    with pytest.raises(ScenarioError, match="cannot be read: Is a directory"):
        read_source(tmp_path)


def test_words_that_are_booleans_in_old_yaml_stay_words():
    assert read_yaml("[yes, no, on, off, 012]", "")[0] == ["yes", "no", "on", "off", 12]
