"""A year of prices in the layouts of three markets costs what an integral over the instants says.

The files are written from seconds since 1970 and the instants at which the clocks change, so that nothing here reads
a local time. Layouts: ERCOT NP4-190-CD and NP6-905-CD, PJM da_hrl_lmps, ENTSO-E's export of day-ahead prices.
"""

import calendar
import time

import pytest

HOUR_S = 3600
CHANGES = {  # UTC instants at which the summer clock begins and ends: at Chicago, and all over Europe
    "US": {2024: ((3, 10, 8), (11, 3, 7)), 2025: ((3, 9, 8), (11, 2, 7))},
    "EU": {2024: ((3, 31, 1), (10, 27, 1)), 2025: ((3, 30, 1), (10, 26, 1))},
}
QUARTERS_FROM = calendar.timegm((2025, 9, 30, 22, 0, 0))  # October 1 in Berlin
SCENARIO = """
name: year
start: {start}
horizon: {hours} hours
site: {{feed: 2 MW, fabric_and_storage: 999 kW, price: {price}}}
fleet: [{{pool: nodes, rack: dgx-h100, count: 1}}]
workload: [{{class: log, kind: trace, format: csv, file: {folder}/j.csv}}]
policy: fifo
"""


def price_of(instant):
    """A price that tells hours and quarters apart, also negative."""
    return (instant // 900 * 7919 % 20011) / 100 - 30


class Market:
    """The instants of a year on a clock of so many hours behind UTC in winter, and its rows."""

    def __init__(self, area, year, behind_h):
        self.spring, self.autumn = (calendar.timegm((year, *change, 0, 0)) for change in CHANGES[area][year])
        if area == "US":  # each zone changes at its own 2:00; the instants above are Chicago's
            self.spring += (behind_h - 6) * HOUR_S
            self.autumn += (behind_h - 6) * HOUR_S
        self.behind_s = behind_h * HOUR_S
        self.begin = calendar.timegm((year, 1, 1, 0, 0, 0)) + self.behind_s
        self.end = self.begin + (366 if year % 4 == 0 else 365) * 24 * HOUR_S

    def summer(self, instant):
        return self.spring <= instant < self.autumn

    def local(self, instant):
        return time.gmtime(instant - self.behind_s + HOUR_S * self.summer(instant))

    def second_pass(self, instant):
        return "Y" if self.autumn <= instant < self.autumn + HOUR_S else "N"

    def steps(self, step_s):
        return range(self.begin, self.end, step_s)


def ercot_day_ahead(year):
    market = Market("US", year, 6)
    rows = ["DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag"]
    for at in market.steps(HOUR_S):
        there = market.local(at)
        when = f"{time.strftime('%m/%d/%Y', there)},{there.tm_hour + 1:02}:00"
        flag = market.second_pass(at)
        rows += [f"{when},HB_WEST,-99.00,{flag}", f"{when},HB_HOUSTON,{price_of(at)},{flag}"]
    keys = """{file: FILE, column: SettlementPointPrice, unit: USD/MWh, zone: America/Chicago,
        time: {date: DeliveryDate, hour_ending: HourEnding, repeated: DSTFlag}, where: {SettlementPoint: HB_HOUSTON}}"""
    return market, rows, keys, [(at, HOUR_S) for at in market.steps(HOUR_S)]


def ercot_settlement(year):
    market = Market("US", year, 6)
    rows = [
        "DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointType,SettlementPointPrice,DSTFlag"
    ]
    for at in market.steps(900):
        there = market.local(at)
        when = f"{time.strftime('%m/%d/%Y', there)},{there.tm_hour + 1},{there.tm_min // 15 + 1}"
        rows.append(f"{when},HB_HOUSTON,HU,{price_of(at)},{market.second_pass(at)}")
    keys = """{file: FILE, column: SettlementPointPrice, unit: USD/MWh, zone: America/Chicago,
        time: {date: DeliveryDate, hour_ending: DeliveryHour, quarter: DeliveryInterval, repeated: DSTFlag}}"""
    return market, rows, keys, [(at, 900) for at in market.steps(900)]


def pjm(year):
    market = Market("US", year, 5)
    rows = ["datetime_beginning_utc,datetime_beginning_ept,pnode_id,pnode_name,total_lmp_da,row_is_current,version_nbr"]
    for at in market.steps(HOUR_S):
        utc, ept = time.gmtime(at), market.local(at)
        clocks = [
            f"{there.tm_mon}/{there.tm_mday}/{there.tm_year} {there.tm_hour % 12 or 12}:00:00 "
            + ("AM" if there.tm_hour < 12 else "PM")
            for there in (utc, ept)
        ]
        rows.append(f"{clocks[0]},{clocks[1]},51291,DOM,{price_of(at)},True,1")
    keys = """{file: FILE, column: total_lmp_da, unit: USD/MWh, zone: America/New_York,
        time: datetime_beginning_ept, where: {pnode_id: 51291}}"""
    return market, rows, keys, [(at, HOUR_S) for at in market.steps(HOUR_S)]


def pjm_utc(year):
    market, rows, keys, steps = pjm(year)
    keys = keys.replace("beginning_ept", "beginning_utc").replace("America/New_York", "UTC")
    return market, rows, keys, steps


def entsoe_steps(market):
    at = market.begin
    while at < market.end:
        step_s = HOUR_S if at < QUARTERS_FROM else 900
        yield at, step_s
        at += step_s


def entsoe(year):
    market = Market("EU", year, -1)
    rows = [
        '"MTU (CET/CEST)","Area","Sequence","Day-ahead Price (EUR/MWh)","Intraday Period (CET/CEST)",'
        '"Intraday Price (EUR/MWh)"'
    ]
    for at, step_s in entsoe_steps(market):
        marked = abs(at - market.autumn) <= 2 * HOUR_S
        ends = [
            time.strftime("%d/%m/%Y %H:%M:%S", market.local(end))
            + (" (CEST)" if market.summer(end) else " (CET)") * marked
            for end in (at, at + step_s)
        ]
        span = " - ".join(ends)
        rows.append(f'"{span}","BZN|DE-LU","Sequence 1","{price_of(at)}","",""')
        rows.append(f'"{span}","BZN|DE-LU","Sequence 2","-99.0","",""')
    keys = """{file: FILE, column: Day-ahead Price (EUR/MWh), unit: EUR/MWh, rate: 1.25 USD/EUR, zone: Europe/Berlin,
        time: MTU (CET/CEST), where: {Sequence: Sequence 1}}"""
    return market, rows, keys, list(entsoe_steps(market))


def entsoe_before(year):
    """The export of the platform's first form: dots, no marks, and a decimal comma as a spreadsheet saves it."""
    market = Market("EU", year, -1)
    rows = ["MTU (CET/CEST);Day-ahead Price [EUR/MWh];Currency;BZN|DE-LU"]
    for at, step_s in entsoe_steps(market):
        span = " - ".join(time.strftime("%d.%m.%Y %H:%M", market.local(end)) for end in (at, at + step_s))
        rows.append(f"{span};" + f"{price_of(at):.2f}".replace(".", ",") + ";EUR;")
    keys = """{file: FILE, column: "Day-ahead Price [EUR/MWh]", unit: EUR/MWh, rate: 1.25 USD/EUR,
        zone: Europe/Berlin, time: MTU (CET/CEST)}"""
    return market, rows, keys, list(entsoe_steps(market))


@pytest.mark.parametrize("year", [2024, 2025])
@pytest.mark.parametrize("layout", [ercot_day_ahead, ercot_settlement, pjm, pjm_utc, entsoe, entsoe_before])
def test_a_year_of_prices_as_a_market_publishes_them_costs_its_integral(layout, year, tmp_path, measured):
    market, rows, keys, steps = layout(year)
    (tmp_path / "p.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "j.csv").write_text("number,submit_s,chips,run_s\n1,0,8,40000000\n")  # one draw over the whole year
    hours = (market.end - market.begin) // HOUR_S
    start = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(market.begin))
    price = keys.replace("FILE", str(tmp_path / "p.csv"))
    _, _, result = measured(SCENARIO.format(start=start, hours=hours, price=price, folder=tmp_path))
    rate = 1.25 if "rate" in keys else 1.0
    usd = sum(price_of(at) * step_s for at, step_s in steps) * rate * result.summary["feed_mean_w"] / 3.6e9
    assert sum(step_s for _, step_s in steps) == hours * HOUR_S
    assert result.summary["feed_peak_w"] == pytest.approx(result.summary["feed_mean_w"], rel=1e-12)
    assert result.summary["electricity_usd"] == pytest.approx(usd, rel=1e-9)
    assert result.warnings == []
