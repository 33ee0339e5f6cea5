"""Seats in fabrics, shares of links up, and how fast classes work there: through the plants of scenarios."""

from dataclasses import replace

import pytest

from scenarios.errors import ScenarioError
from scenarios.load import load
from topologies import catalog
from topologies.build import build_plant

TRAIN = "{class: t, kind: training, model: llama3-70b, tokens: 1e9, arrivals: {per_day: 1}, stacks: [cuda, neuron]"
GIVEN = "{class: g, kind: synthetic, duration: 1 hour, arrivals: {per_day: 1}, chips: 16, communication: "


@pytest.fixture
def plant(tmp_path):
    def build(network, workload, fleet="{pool: a, rack: dgx-h100, count: 64}", more=""):
        path = tmp_path / "s.yaml"
        text = f"name: s\nhorizon: 1 day\nnetwork: {network}\nfleet: [{fleet}]\nworkload: [{workload}]\n{more}\n"
        path.write_text(text)
        return build_plant(load(path))

    return build


def whole(*domains, chips=8):
    return tuple((domain, chips) for domain in domains)


def pace(plant, placement, pool=0):
    segment, speed = plant.network.segments[pool], plant.network.speeds[0][pool]
    seat = segment.seat(placement)
    return speed.alone(seat).pace_s


# seats


def test_a_leaf_spine_fabric_puts_four_nodes_on_a_leaf(plant):
    form = plant("{}", f"{TRAIN}, chips: 64}}").network.segments[0].form
    assert (form.group, form.groups, form.rails) == (4, 16, 1)


@pytest.mark.parametrize(
    ("domains", "level", "leaves"), [((3,), 0, 1), ((0, 3), 1, 1), ((3, 4), 2, 2), ((0, 1, 20, 40), 2, 3)]
)
def test_how_far_a_placement_reaches(plant, domains, level, leaves):
    segment = plant("{}", f"{TRAIN}, chips: 64}}").network.segments[0]
    seat = segment.seat(whole(*domains))
    assert (seat.level, seat.domains, seat.block) == (level, len(domains), 8)
    assert segment.leaves(whole(*domains)) == leaves


def test_pods_are_a_level_of_their_own(plant):
    segment = plant("{fabric: fat-tree, ports: 16}", f"{TRAIN}, chips: 64}}").network.segments[0]
    assert (segment.form.group, segment.form.pod_groups) == (1, 8)
    assert [segment.seat(whole(0, last)).level for last in (1, 7, 8)] == [2, 2, 3]


def test_the_compact_seat_is_even_where_that_takes_no_more_domains(plant):
    segment = plant("{}", f"{TRAIN}, chips: 64}}", "{pool: a, rack: gb200-nvl72, count: 20}").network.segments[0]
    assert (segment.compact(512).domains, segment.compact(512).block) == (8, 64)
    assert (segment.compact(100).domains, segment.compact(100).block) == (2, 4)
    assert (segment.compact(1001).domains, segment.compact(1001).block) == (14, 1)


# rates


@pytest.mark.parametrize("row", [row for row in catalog.rates() if row.task == "training"], ids=str)
def test_a_gang_on_the_placement_of_a_measured_row_has_its_rate(row, plant):
    rack = next(name for name, facts in catalog.table("racks").items() if facts["accelerator"].value == row.accelerator)
    batch = row.batch or catalog.model(row.model).batch
    keys = f"model: {row.model}, chips: {row.chips}, batch: {batch}, precision: {row.precision}"
    work = f"{{class: t, kind: training, {keys}, tokens: 1e9, arrivals: {{per_day: 1}}, stacks: [cuda, neuron]}}"
    built = plant("{}", work, f"{{pool: a, rack: {rack}, count: 150}}")
    rate = 1 / built.planned_pace_s(0, 0, row.chips) / row.chips
    assert rate == pytest.approx(row.tokens_per_s_per_chip, rel=1e-9)


def test_more_chips_train_faster_but_each_of_them_slower(plant):
    built = plant("{}", f"{TRAIN}, chips: 64}}")
    rates = [1 / built.planned_pace_s(0, 0, chips) for chips in (64, 128, 256, 512)]
    assert rates == sorted(rates)
    each = [rate / chips for rate, chips in zip(rates, (64, 128, 256, 512), strict=True)]
    assert each == sorted(each, reverse=True)
    assert each[-1] < 0.97 * each[0]


def test_the_same_gang_is_slower_the_more_it_is_spread(plant):
    built = plant("{oversubscription: 4}", f"{TRAIN}, chips: 64, batch: 64}}")
    paces = [
        pace(built, whole(*range(8))),
        pace(built, whole(*range(16), chips=4)),
        pace(built, whole(*range(64), chips=1)),
    ]
    assert paces == sorted(paces)
    assert paces[2] > 1.1 * paces[0]


def test_without_a_network_no_speed_depends_on_seats(plant, tmp_path):
    plant("{}", f"{TRAIN}, chips: 64}}")
    path = tmp_path / "s.yaml"
    path.write_text(path.read_text().replace("network: {}\n", ""))
    built = build_plant(load(path))
    assert built.network is None
    assert built.planned_pace_s(0, 0, 128) == pytest.approx(1 / 1664 / 128)


def test_a_faster_nic_helps_the_gang_but_not_the_rate_it_was_measured_at(plant):
    slow, usual, fast = (
        plant(f"{{link: {link} Gbit/s}}", f"{TRAIN}, chips: 256, batch: 256}}").planned_pace_s(0, 0, 256)
        for link in (100, 400, 1600)
    )
    assert slow > 1.02 * usual
    assert fast <= usual


# an exchange that is given


@pytest.mark.parametrize("collective", ["all-reduce", "all-gather", "reduce-scatter", "all-to-all"])
def test_a_given_exchange_leaves_the_packed_gang_as_it_is_and_slows_the_others(plant, collective):
    built = plant("{oversubscription: 2}", f"{GIVEN}{{collective: {collective}, size: 8 GB, compute: 100 ms}}}}")
    assert pace(built, whole(0, 1)) == 1
    assert pace(built, whole(0, 1, 8, 9, chips=4)) > 1
    assert pace(built, whole(*range(16), chips=1)) > pace(built, whole(0, 1, 8, 9, chips=4))


def test_an_exchange_that_hides_behind_computing_costs_nothing(plant):
    built = plant("{}", f"{GIVEN}{{size: 1 MB, compute: 1 s, overlap: 1}}}}")
    assert pace(built, whole(*range(16), chips=1)) == 1


# shares


def test_a_ring_needs_one_domains_nics_up_and_all_to_all_those_of_all(plant):
    found = {}
    for collective in ("all-reduce", "all-to-all"):
        built = plant("{oversubscription: 4}", f"{GIVEN}{{collective: {collective}, size: 1 GB, compute: 1 s}}}}")
        segment = built.network.segments[0]
        assert segment.form.group == 6  # of 64 ports 51 go down: six nodes of 8 NICs, 12 links up
        seat = segment.seat(whole(*range(12)))
        found[collective] = built.network.speeds[0][0].alone(seat)[1:3]
    assert found == {"all-reduce": (1, 8), "all-to-all": (pytest.approx(12 / 24), 24)}
    assert segment.flow(whole(*range(12)), seat, 8).bytes_per_s == 8 * 50e9
    assert segment.flow(whole(*range(12)), seat, 8).links == (0, 1)


@pytest.mark.parametrize(
    ("degrees", "domains", "crossing"),
    [
        ("tensor: 8", range(12), 8),  # one ring of gradients, over whole nodes
        ("tensor: 8, pipeline: 2", range(12), 0),  # a stage in each group of six nodes
        ("tensor: 8, pipeline: 4", range(12), 0),
        ("tensor: 8, pipeline: 3", range(12), 16),  # stages of four nodes: one ends within each group
        ("expert: 8", range(12), 8),  # experts that stay in a node
        ("expert: 96", range(12), 24),  # each chip's experts are all over
        ("expert: 32", range(12), 16),  # groups of four nodes
    ],
)
def test_what_leaves_a_group_of_leaves_follows_from_the_split(degrees, domains, crossing, plant):
    work = f"{TRAIN}, chips: 96, parallelism: {{{degrees}}}}}".replace("llama3-70b", "gpt-oss-120b")
    built = plant("{oversubscription: 4}", work)
    segment, speed = built.network.segments[0], built.network.speeds[0][0]
    assert speed.alone(segment.seat(whole(*domains))).crossing == crossing


def test_a_fabric_that_carries_all_has_no_contention(plant):
    shares = [
        plant(f"{{oversubscription: {ratio}}}", f"{TRAIN}, chips: 64}}").network.segments[0].shares for ratio in (1, 2)
    ]
    assert shares == [False, True]


def test_links_of_pools_are_numbered_one_after_the_other(plant):
    fleet = "{pool: a, rack: dgx-h100, count: 64}, {pool: b, rack: trn2-ultraserver, count: 20}"
    network = plant("{oversubscription: 2}", f"{TRAIN}, chips: 64}}", fleet).network
    first, second = network.segments
    assert second.first_link == len(first.capacities)
    assert len(network.capacities) == second.first_link + len(second.capacities)


# what is refused


@pytest.mark.parametrize(
    ("network", "work", "message"),
    [
        ("{ports: 8, rails: 1}", "", "network.(fabric|rails): pool a: a leaf of 8 ports takes 4 NICs"),
        ("{fabric: leaf-spine, spine_ports: 2, ports: 8}", "", "network.fabric: pool a: two tiers .* needed: 128"),
        ("{rails: 3}", "", "network.rails: pool a: found 8 NICs a domain on 3 rails"),
        ("{oversubscription: [2, 2]}", "", "goes with fabric: fat-tree only"),
        ("{oversubscription: 0.5}", "", r"allowed: a number from 1 to 100, or for a fat-tree a list of two"),
        ("{oversubscription: [2], fabric: fat-tree}", "", r"a list of two, such as \[2, 4\]$"),
        ("{link: 1 byte/s}", "", "allowed: at least"),
        ("{}", "parallelism: {pipeline: 128}", "parallelism.pipeline: found 128; allowed: at most 80"),
        ("{}", "parallelism: {expert: 2}", "parallelism.expert: found 2; allowed: at most 1"),
        ("{}", "parallelism: {micro_batch: 512}", "parallelism.micro_batch: found 512; allowed: at most 256"),
        ("{}", "parallelism: {tensor: 128}", "parallelism.tensor: found 128; allowed: at most 64"),
        ("{link: 400 GB}", "", "bandwidth"),
        (
            "{}",
            "parallelism: {tensor: 8, pipeline: 3}",
            "parallelism: does not divide a gang of 64 chips: tensor x context x pipeline is 24",
        ),
        ("{}", "parallelism: {tensor: 0}", "tensor"),
    ],
)
def test_what_a_network_refuses(plant, network, work, message):
    with pytest.raises(ScenarioError, match=message):
        plant(network, f"{TRAIN}, chips: 64{', ' if work else ''}{work}}}")


def test_a_rack_of_ones_own_needs_an_interconnect(plant):
    own = catalog.rack("dgx-h100").model_dump(mode="json", exclude_none=True)
    more = f"catalog: {{racks: {{mine: {own}}}}}"
    with pytest.raises(ScenarioError, match=r"rack 'mine' has no interconnect.*catalog.interconnects.mine"):
        plant("{}", f"{TRAIN}, chips: 64}}", "{pool: a, rack: mine, count: 8}", more)


def test_an_exchange_longer_than_its_measured_step_is_scaled_down_to_leave_half_of_it(plant):
    own = catalog.interconnect("dgx-h100").model_dump(mode="json", exclude_none=True)
    more = f"catalog: {{interconnects: {{dgx-h100: {own | {'bandwidth': '100 MB/s', 'nic_bandwidth': '10 MB/s'}}}}}}"
    built = plant("{}", f"{TRAIN}, chips: 64}}", more=more)
    speed, seat = built.network.speeds[0][0], built.network.segments[0].compact(64)
    assert 0 < speed.scale < 0.1
    step = speed.step(seat, 1.0)
    assert step.compute_s + step.bubble_s == pytest.approx(step.total_s / 2, rel=0.1)
    assert 1 / built.planned_pace_s(0, 0, 64) / 64 == pytest.approx(1664)


@pytest.mark.parametrize("band", ["low", "base", "high"])
@pytest.mark.parametrize("model", ["gpt-oss-120b", "deepseek-v3", "llama3-405b"])
def test_no_shipped_model_is_refused_for_its_exchange(model, band, plant):
    fleet = "{pool: a, rack: gb200-nvl72, count: 32}, {pool: b, rack: trn2-ultraserver, count: 32}"
    for kind in ("training", "fine-tuning"):
        work = f"{TRAIN}, chips: 1024}}".replace("llama3-70b", model).replace("kind: training", f"kind: {kind}")
        plant("{}", work, fleet, f"uncertainty: {band}")


def test_a_demanded_split_is_kept_wherever_the_gang_sits(plant):
    built = plant("{}", f"{TRAIN}, chips: 64, parallelism: {{tensor: 8, pipeline: 4}}}}")
    segment, speed = built.network.segments[0], built.network.speeds[0][0]
    for placement in (whole(*range(8)), whole(*range(64), chips=1)):
        degrees = speed.split(segment.seat(placement)).degrees
        assert (degrees.tensor, degrees.pipeline) == (8, 4)


def test_a_measured_split_gives_way_where_slices_are_smaller_than_it(plant):
    built = plant("{}", f"{TRAIN}, chips: 64}}")
    segment, speed = built.network.segments[0], built.network.speeds[0][0]
    assert speed.split(segment.seat(whole(*range(8)))).degrees == speed.tried
    seat = segment.seat(whole(*range(32), chips=2))
    kept = replace(speed, demanded=speed.tried, _alone={}, _paces={}, _splits={})
    assert speed.alone(seat).pace_s <= kept.alone(seat).pace_s
