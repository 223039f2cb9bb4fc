"""The table and the plot."""

import shutil
import subprocess

from cases import CASES, PAYLOAD, versions_of_machine
from servers import PEERS, Baseline, Failure, MQLite


def number(figure, value):
    """A figure as people read it."""
    if value is None:
        return "-"
    return {"per_second": f"{value:,.0f}/s", "p50": f"{value:,.0f} us", "p99": f"{value:,.0f} us",
            "bytes": f"{value:,.0f} bytes", "seconds": f"{value:.2f} s"}[figure]


def best_peer(case, figures):
    """The name and the figures of the peer that does best; None when there is none."""
    others = {name: f for name, f in figures.items() if name != MQLite.name and f.get(case.figure) is not None}
    if not others:
        return None
    pick = max if case.goal[0] == "at least" else min
    return pick(others.items(), key=lambda item: item[1][case.figure])


def ratio_cell(case, ours, peer):
    """MQLite against the best peer, and what is aimed at."""
    if not ours or not peer or not peer[1][case.figure]:
        return "-", "-"
    ratio = ours[case.figure] / peer[1][case.figure]
    relation, goal = case.goal
    met = ratio >= goal if relation == "at least" else ratio <= goal
    return f"{ratio:.2f} ({'met' if met else '**missed**'}: {relation} {goal:g})", f"{peer[0]} {number(case.figure, peer[1][case.figure])}"


def cpu_cell(case, ours, peer):
    if not ours or "cpu" not in ours:
        return "-"
    text = f"{ours['cpu']:.2f}"
    if peer and peer[1].get("cpu"):
        text += f" / {peer[1]['cpu']:.2f}"
        if case.cpu_goal:
            share = ours["cpu"] / peer[1]["cpu"]
            text += f" = {share:.2f} ({'met' if share <= case.cpu_goal else '**missed**'}: at most {case.cpu_goal:g})"
    return text


def goals(summary):
    rows = ["| workload | fsync | MQLite | best peer | ratio | server CPU, us a message |",
            "| --- | --- | --- | --- | --- | --- |"]
    for case in CASES:
        figures = summary.get(case.key)
        if not figures:
            continue
        ours, peer = figures.get(MQLite.name), best_peer(case, figures)
        ratio, theirs = ratio_cell(case, ours, peer)
        rows.append(f"| {case.title} | {case.level} | {number(case.figure, ours[case.figure]) if ours else '-'} | {theirs} | "
                    f"{ratio} | {cpu_cell(case, ours, peer)} |")
    return rows


def why_missing(kind, case, failures):
    if not kind.path():
        return "not installed"
    if kind.levels and case.level not in kind.levels:
        return "no such setting"
    if kind.name in failures.get(case.key, {}):
        return "failed: " + failures[case.key][kind.name].replace("|", "/")
    return "-"


def everyone(summary, failures):
    kinds = (MQLite, *PEERS)
    rows = ["| workload (fsync) | " + " | ".join(kind.name for kind in kinds) + " |", "| --- " * (len(kinds) + 1) + "|"]
    for case in CASES:
        figures = summary.get(case.key)
        if not figures or case.against is Baseline or case.against_drive:
            continue
        cells = []
        for kind in kinds:
            if kind.name in figures:
                cells.append(number(case.figure, figures[kind.name][case.figure]))
            elif case.against is not None and kind is not case.against:
                cells.append("-")
            else:
                cells.append(why_missing(kind, case, failures))
        rows.append(f"| {case.title} ({case.level}) | " + " | ".join(cells) + " |")
    return rows


def settings():
    rows = ["| server | version | settings |", "| --- | --- | --- |"]
    for kind in (MQLite, *PEERS):
        if kind.path():
            rows.append(f"| {kind.name} | {kind.version()} | {kind('everysec').settings()} |")
        else:
            rows.append(f"| {kind.name} | not installed | Debian: {kind.program} |")
    return rows


def table(summary, failures, rounds, scale):
    head = (f"{PAYLOAD}-byte messages; {versions_of_machine()}; clients, from one program of one thread, on the same cores; median "
            f"of {rounds} interleaved round{'s' if rounds > 1 else ''} of {scale.seconds:g} s; every run on a fresh server in a folder of its own; "
            f"{scale.messages:,} messages drained, {scale.stored:,} stored for memory and start.")
    return "\n".join([head, "", *goals(summary), "", "All of them:", "", *everyone(summary, failures), "", *settings()]) + "\n"


def plot(summary, path):
    """Bars of MQLite and each peer, as parts of the best peer's rate; False when there is no gnuplot."""
    if not shutil.which("gnuplot"):
        return False
    cases = [case for case in CASES
             if summary.get(case.key) and case.figure == "per_second" and case.against is None]
    kinds = [kind for kind in (MQLite, *PEERS) if any(kind.name in summary[case.key] for case in cases)]
    lines = []
    for case in cases:
        figures = summary[case.key]
        values = [figures.get(kind.name, {}).get("per_second") for kind in kinds]
        lines.append(" ".join([f'"{case.title}\\n{case.level}"', *(f"{v:.0f}" if v else "NaN" for v in values)]))
    if not lines:
        return True
    bars = ", ".join(f"$data using {i + 2}{':xtic(1)' if i == 0 else ''} title '{kind.name}'"
                     for i, kind in enumerate(kinds))
    script = "\n".join([
        "set terminal svg size 1200,520 font 'sans-serif,12' background 'white'", f"set output '{path}'",
        "set title 'messages a second (logarithmic)'", "set style data histograms", "set style fill solid 0.85 border -1",
        "set logscale y", "set format y '%.0s%c'", "set grid ytics", "set key top right", "set xtics font ',9'",
        "$data << END", *lines, "END", f"plot {bars}"])
    subprocess.run(["gnuplot"], input=script, text=True, check=True, stderr=subprocess.DEVNULL)
    return True


def marked(name, path):
    """What stands before and behind the marks of `name`, marks included."""
    begin, end = f"<!-- bench/{name}: begin -->", f"<!-- bench/{name}: end -->"
    with open(path, encoding="utf-8") as file:
        head, found, rest = file.read().partition(begin)
    _, also_found, tail = rest.partition(end)
    if not found or not also_found:
        raise Failure(f"{path} has no marks {begin} and {end}")
    return head + begin, end + tail


def into_readme(name, text, path):
    """Replaces what stands between the marks of `name`."""
    head, tail = marked(name, path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{head}\n{text}{tail}")
