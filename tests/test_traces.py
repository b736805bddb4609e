"""Traces of users: what is accepted, what is refused and with which words, and where episodes may start."""

import gzip
import tracemalloc
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metaverse_env import trace_file
from metaverse_env.errors import TraceError, UnknownNameError
from metaverse_env.traces import GAP_SPACINGS, Gap, Trace, load_trace

JAN_1_2024_S = 1_704_067_200.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "trace.csv"


def loaded(file: Path, text: str) -> Trace:
    file.write_text(text, encoding="utf-8")
    return load_trace(file)


def refusal(file: Path, text: str) -> str:
    with pytest.raises(TraceError) as caught:
        loaded(file, text)
    assert str(file) in str(caught.value)
    return str(caught.value)


def minutely(samples: int) -> str:
    return "".join(f"{60 * number},{number}\n" for number in range(samples))


def test_columns_are_zones_and_rows_are_times(file: Path) -> None:
    trace = loaded(
        file, "time,lobby,arena\n2024-01-01 00:00:00,1,2.5\n2024-01-01 00:01:00,3,0\n2024-01-01 00:02:00,5,6\n"
    )
    assert trace.names == ("lobby", "arena")
    np.testing.assert_array_equal(trace.times_s, JAN_1_2024_S + np.array([0.0, 60.0, 120.0]))
    np.testing.assert_array_equal(trace.users, np.array([[1, 2.5], [3, 0], [5, 6]], np.float32))
    assert trace.times_s.dtype == np.float64
    assert trace.users.dtype == np.float32
    assert (trace.step_s, trace.segments, trace.gaps, trace.scale) == (60.0, ((0, 3),), [], 1.0)
    assert (trace.source, trace.quantity, trace.blank_rows) == (str(file), "users", 0)


def test_without_header_zones_are_numbered(file: Path) -> None:
    trace = loaded(file, "2024-01-01T00:00:00Z,1,2\n2024-01-01T00:01:00Z,3,4\n")
    assert trace.names == ("zone-1", "zone-2")
    assert trace.users.shape == (2, 2)


@pytest.mark.parametrize(
    "time",
    [
        "2024-01-01T00:00:00.000Z",
        "2024-01-01",
        "20240101T000000Z",
        "2024-01-01T01:00:00+01:00",
        "1704067200",
        " 1.7040672e9 ",
    ],
)
def test_forms_of_one_moment(file: Path, time: str) -> None:
    later = str(JAN_1_2024_S + 60) if "e9" in time or time.isdigit() else "2024-01-01T00:01:00"
    assert loaded(file, f"{time},1\n{later},2\n").times_s[0] == JAN_1_2024_S


def test_offsets_are_honoured_row_by_row_and_naive_is_utc(file: Path) -> None:
    trace = loaded(file, "t,a\n2024-01-01T02:00:00+02:00,1\n2024-01-01T00:01:00,2\n2023-12-31T19:02:00-05:00,3\n")
    np.testing.assert_array_equal(trace.times_s - JAN_1_2024_S, [0.0, 60.0, 120.0])


def test_gzip_bom_crlf_quotes_and_empty_lines_change_nothing(tmp_path: Path) -> None:
    plain, other = tmp_path / "plain.csv", tmp_path / "other.csv.gz"
    plain.write_text("t,a\n0,1\n60,2\n")
    other.write_bytes(gzip.compress(b'\xef\xbb\xbf"t","a"\r\n\r\n"0","1"\r\n"60","2"\r\n\r\n'))
    first, second = load_trace(plain), load_trace(str(other))
    assert first.names == second.names == ("a",)
    np.testing.assert_array_equal(first.times_s, second.times_s)
    np.testing.assert_array_equal(first.users, second.users)


def test_a_gap_splits_and_counts_what_is_missing(file: Path) -> None:
    trace = loaded(file, "0,1\n60,1\n120,1\n360,1\n420,1\n")
    assert trace.segments == ((0, 3), (3, 5))
    assert trace.gaps == [Gap(120.0, 360.0, 3)]
    assert trace.longest_segment == (0, 3)


@pytest.mark.parametrize(("last_s", "segments"), [(210, 1), (211, 2)])
def test_a_gap_begins_beyond_one_and_a_half_spacings(file: Path, last_s: int, segments: int) -> None:
    assert len(loaded(file, f"0,1\n60,1\n120,1\n{last_s},1\n").segments) == segments


def test_a_blank_cell_drops_the_row_for_all_zones_and_splits(file: Path) -> None:
    trace = loaded(file, "t,a,b\n0,1,1\n60,2,2\n120,3, \n180,4,4\n240,,\n")
    np.testing.assert_array_equal(trace.times_s, [0.0, 60.0, 180.0])
    assert trace.segments == ((0, 2), (2, 3))
    assert trace.gaps == [Gap(60.0, 180.0, 1)]
    assert trace.blank_rows == 2


def test_a_blank_row_splits_even_where_the_spacing_is_short(file: Path) -> None:
    trace = loaded(file, "0,1\n60,1\n70,\n80,1\n140,1\n200,1\n")
    assert trace.segments == ((0, 2), (2, 5))
    assert trace.gaps == [Gap(60.0, 80.0, 1)]


def test_alternate_blanks_do_not_double_the_spacing(file: Path) -> None:
    trace = loaded(file, "0,1\n60,\n120,1\n180,\n240,1\n")
    assert trace.step_s == 60.0
    assert trace.segments == ((0, 1), (1, 2), (2, 3))


@pytest.mark.parametrize(
    ("names", "quantity"),
    [
        ("req_per_min", "requests/min (proxy for users)"),
        ("Requests per second", "requests/second (proxy for users)"),
        ("http_requests", "requests (proxy for users)"),
        ("lobby,req", "requests (proxy for users)"),
        ("frequency", "users"),
        ("players", "users"),
    ],
)
def test_requests_are_called_a_proxy(file: Path, names: str, quantity: str) -> None:
    cells = ",1" * (1 + names.count(","))
    trace = loaded(file, f"t,{names}\n0{cells}\n60{cells}\n")
    assert trace.quantity == quantity
    assert quantity in trace.describe()


def test_describe_reports_spacing_segments_gaps_blanks_and_scale(file: Path) -> None:
    text = loaded(file, "0,2\n60,2\n120,\n180,2\n").scaled(3.0).describe()
    for part in (
        "3 samples of users in 1 zone (zone-1), every 60 s",
        "from 1970-01-01 00:00:00 UTC to 1970-01-01 00:03:00 UTC",
        "Segments: 2, the longest with 2 samples",
        "Gaps: 1 with 1 samples missing",
        "gaps split episodes; they are never filled",
        "Rows dropped for a blank cell: 1.",
        "times 1.5.",
    ):
        assert part in text
    assert "No gaps." in loaded(file, minutely(3)).describe()


def test_scaled_keeps_proportions_and_remembers_the_factor(file: Path) -> None:
    trace = loaded(file, "0,1,9\n60,3,7\n")
    once = trace.scaled(10.0)
    np.testing.assert_allclose(once.users, [[2, 18], [6, 14]])
    assert once.scale == 2.0
    assert once.scaled(5.0).scale == 1.0
    np.testing.assert_array_equal(trace.users, [[1, 9], [3, 7]])


@pytest.mark.parametrize("mean_users", [0.0, -1.0, float("nan"), float("inf"), 2e6])
def test_scaled_refuses_an_impossible_mean(file: Path, mean_users: float) -> None:
    with pytest.raises(TraceError, match="users per zone"):
        loaded(file, minutely(3)).scaled(mean_users)


def test_scaled_refuses_a_trace_without_users(file: Path) -> None:
    with pytest.raises(TraceError, match="no users at any time"):
        loaded(file, "0,0\n60,0\n").scaled(60.0)


def test_episodes_start_where_they_fit(file: Path) -> None:
    trace = loaded(file, "0,1\n60,1\n120,1\n360,1\n420,1\n960,1\n")
    np.testing.assert_array_equal(trace.episode_starts(1), [0, 1, 2, 3, 4, 5])
    np.testing.assert_array_equal(trace.episode_starts(2), [0, 1, 3])
    np.testing.assert_array_equal(trace.episode_starts(3), [0])
    assert trace.episode_starts(3).dtype == np.int64


def test_episodes_that_fit_nowhere_name_the_longest_segment(file: Path) -> None:
    trace = loaded(file, minutely(7))
    with pytest.raises(TraceError, match=r"episode of 8 samples .* has 7 samples"):
        trace.episode_starts(8)
    with pytest.raises(TraceError, match="1 to 7"):
        trace.episode_starts(0)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(st.integers(1, 500), st.booleans()), min_size=3, max_size=60))
def test_segments_hold_every_complete_row_once_and_no_gap(file: Path, rows: list[tuple[int, bool]]) -> None:
    times = np.cumsum([spacing for spacing, _ in rows])
    complete = [number for number, (_, blank) in enumerate(rows) if not blank]
    text = "".join(
        f"{time},{'' if blank else number}\n" for number, (time, (_, blank)) in enumerate(zip(times, rows, strict=True))
    )
    if len(complete) < 2:
        assert "at least 2" in refusal(file, text)
        return
    trace = loaded(file, text)
    np.testing.assert_array_equal(trace.users[:, 0], complete)
    step_s = np.median(np.diff(times))
    linked = [b - a == 1 and times[b] - times[a] <= GAP_SPACINGS * step_s for a, b in pairwise(complete)]
    expected, start = [], 0
    for index, together in enumerate(linked, start=1):
        if not together:
            expected.append((start, index))
            start = index
    assert trace.segments == (*expected, (start, len(complete)))
    assert all(gap.missing >= 1 and gap.before_s < gap.after_s for gap in trace.gaps)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("empty",)),
        ("\n\n", ("empty",)),
        ("t,a\n", ("0 rows of data", "at least 2")),
        ("t,a\n0,1\n", ("1 rows of data", "at least 2")),
        ("t,a,b\n0,1,\n60,2,\n", ("2 rows of data, 0 of them without a blank",)),
        ("t,a\n60,1\n0,2\n", ("line 3", "column 1", "'0'", "earlier", "Sort")),
        ("t,a\n0,1\n60,2\n60,3\n", ("line 4", "column 1", "'60'", "same as in the row before", "one row per time")),
        ("t,a,b\n0,1,2\n60,3,-4\n", ("line 3", "column 3 (zone 'b')", "'-4'", "at least 0")),
        ("0,1\n60,many\n", ("line 2", "column 2 (zone 'zone-1')", "'many'", "finite number")),
        ("0,1\n60,nan\n", ("line 2", "column 2", "'nan'", "leave the cell blank")),
        ("0,1\n60,inf\n", ("line 2", "column 2", "'inf'")),
        ("0,1\n60,1e39\n", ("line 2", "column 2", "'1e39'")),
        ("0,,1\n60,,-1\n", ("line 2", "column 3", "'-1'")),
        ("t,a\n0,1\n60,2,3\n", ("line 3", "3 columns", "needs 2")),
        ("t,a,b\n0,1,2\n60,3\n", ("line 3", "2 columns", "needs 3")),
        ("01/31/2024,1\n02/01/2024,2\n", ("line 1", "column 1", "'01/31/2024'", "ISO 8601")),
        ("2024-13-01,1\n", ("line 1", "'2024-13-01'", "Unix seconds")),
        ("t,a\n0,1\n2024-01-01,2\n", ("line 3", "'2024-01-01'", "same form in every row")),
        ("t,a\n2024-01-01,2\n1704067260,1\n", ("line 3", "'1704067260'", "ISO 8601")),
        ("1704067200000,1\n1704067260000,1\n", ("line 1", "'1704067200000'", "milliseconds by 1000")),
        ("t,a\nnan,1\n", ("line 2", "'nan' is no time")),
        ("t,a\n,1\n", ("line 2", "'' is no time")),
        ("t;a\n0;1\n", ("line 1", "one column only, 't;a'", "commas")),
        ("t,a,a\n0,1,1\n", ("line 1", "column 3", "'a' again", "name of its own")),
        ("t,a,\n0,1,1\n", ("line 1", "column 3", "blank name")),
        ('t,a\n"0,1\n', ("not a CSV record", "quotes")),
        (f"t,a\n0,{'x' * 500}\n", ("line 2", "xxx...'")),
    ],
)
def test_refusals_name_the_place_the_value_and_the_remedy(file: Path, text: str, parts: tuple[str, ...]) -> None:
    message = refusal(file, text)
    for part in parts:
        assert part in message
    assert len(message) < 400 + len(str(file))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"absent\.csv does not exist"):
        load_trace(tmp_path / "absent.csv")
    with pytest.raises(TraceError, match="cannot be read"):
        load_trace(tmp_path)


def test_text_that_is_not_utf8_is_refused(file: Path) -> None:
    file.write_bytes(b"t,caf\xe9\n0,1\n60,2\n")
    with pytest.raises(TraceError, match="line 1: not UTF-8"):
        load_trace(file)


def test_gzip_without_its_suffix_says_so(file: Path) -> None:
    file.write_bytes(gzip.compress(minutely(3).encode()))
    with pytest.raises(TraceError, match=r"must end in \.gz"):
        load_trace(file)


@pytest.mark.parametrize("damage", ["plain text", "cut short", "wrong sum", "garbled"])
def test_bad_gzip_is_refused(tmp_path: Path, damage: str) -> None:
    path, whole = tmp_path / "trace.csv.gz", gzip.compress(minutely(500).encode(), mtime=0)
    damaged = {
        "plain text": b"0,1\n60,2\n",
        "cut short": whole[: len(whole) // 2],
        "wrong sum": whole[:-8] + bytes(4) + whole[-4:],
        "garbled": whole[:12] + b"\xff" * 20 + whole[32:],
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(TraceError, match=r"cannot be read.*intact \.csv\.gz"):
        load_trace(path)


def test_too_much_text_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_file, "MAX_BYTES", 2**20)
    assert "more than 1 MiB" in refusal(file, minutely(2**17))
    assert file.stat().st_size > trace_file.MAX_BYTES


@pytest.mark.parametrize("unit", [b"\0", b"0,1\n"], ids=["one line", "one row again and again"])
def test_a_gzip_bomb_is_refused_before_it_fills_memory(tmp_path: Path, unit: bytes) -> None:
    bomb = tmp_path / "bomb.csv.gz"
    bomb.write_bytes(gzip.compress(unit * (2**26 // len(unit)), compresslevel=1, mtime=0))
    tracemalloc.start()
    with pytest.raises(TraceError, match="line"):
        load_trace(bomb)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 8 * 2**20


def test_hourly_players_of_three_server_types(assets: Path) -> None:
    trace = load_trace(assets / "traces/game_concurrency/tf2_servertype_1h.csv.gz")
    assert (trace.names, trace.step_s, trace.quantity) == (("valve", "comm", "comp"), 3600.0, "users")
    assert trace.users.shape == (29_367, 3)
    assert trace.blank_rows == 19_764 == sum(gap.missing for gap in trace.gaps)
    assert trace.times_s[0] == datetime(2018, 9, 10, 18, tzinfo=UTC).timestamp()
    np.testing.assert_array_equal(trace.users[0], [8345, 6729, 163])
    for start in trace.episode_starts(240)[::100]:
        np.testing.assert_array_equal(np.diff(trace.times_s[start : start + 240]), 3600.0)


def test_five_minute_players_with_repeated_readings(assets: Path) -> None:
    trace = load_trace(assets / "traces/game_concurrency/tf2_steam_5min.csv")
    assert (trace.names, len(trace.users), trace.blank_rows) == (("zone-1",), 27_315, 0)
    assert trace.step_s == pytest.approx(300.0, abs=0.01)
    assert (len(trace.segments), len(trace.gaps)) == (34, 33)
    assert trace.users[0, 0] == trace.users[1, 0] == 82_274
    assert all(
        np.diff(trace.times_s[start:stop]).max(initial=0.0) <= 1.5 * trace.step_s for start, stop in trace.segments
    )


def test_requests_of_a_web_site_are_a_proxy(assets: Path) -> None:
    trace = load_trace(assets / "traces/worldcup98/requests_per_min.csv.gz")
    assert (trace.quantity, trace.step_s, trace.segments) == ("requests/min (proxy for users)", 60.0, ((0, 125_160),))
    assert trace.scaled(60.0).users.mean(dtype=np.float64) == pytest.approx(60.0)


def test_zones_can_be_selected_in_any_order() -> None:
    trace = Trace(
        ("lobby", "arena", "shop"), np.arange(2.0), np.float32([[1, 2, 3], [4, 5, 6]]), 1.0, ((0, 2),), "x", "users"
    )
    chosen = trace.select("shop", "lobby")
    assert chosen.names == ("shop", "lobby")
    assert chosen.users.tolist() == [[3.0, 1.0], [6.0, 4.0]]
    assert chosen.users.flags.c_contiguous
    assert (chosen.times_s is trace.times_s, chosen.segments, chosen.source) == (True, trace.segments, "x")


def test_only_zones_of_the_trace_can_be_selected_each_once() -> None:
    trace = Trace(("lobby", "arena"), np.arange(2.0), np.ones((2, 2), np.float32), 1.0, ((0, 2),), "x", "users")
    with pytest.raises(UnknownNameError, match=r"unknown zone of the trace 'aren'\. Did you mean 'arena'"):
        trace.select("lobby", "aren")
    for names in ((), ("lobby", "lobby")):
        with pytest.raises(TraceError, match="needs different zones of trace x, at least one"):
            trace.select(*names)
