"""The figures of `fmnist benchmark detect` as Markdown."""

from typing import Any


def markdown(whole: dict[str, Any]) -> str:
    """Frames a second, stages, growth."""
    return "\n\n".join([_end_to_end(whole["rows"]), _stages(whole["stages"]), _growth(whole)])


def _end_to_end(rows: list[dict[str, Any]]) -> str:
    lines = ["| from file to drawn file | frames/s (n) | to yolo predict | peak memory |"]
    lines.append("|---|---|---|---|")
    for row in rows:
        rate, ratio = row["frames_per_second"], row.get("ratio_to_yolo_predict")
        times = f"{ratio['median']:.2f} x" if ratio else ""
        lines.append(
            f"| {row['row']} | {rate['median']:.1f} ({rate['n']}) | {times} "
            f"| {row['peak_mb']:,.0f} MB |"
        )
    return "\n".join(lines)


def _stages(rows: list[dict[str, Any]]) -> str:
    names = [*rows[0]["mean_ms"]]
    lines = [f"| mean ms a frame | {' | '.join(names)} | sum |", "|---" * (len(names) + 2) + "|"]
    for row in rows:
        cells = " | ".join(f"{row['mean_ms'][name]:.1f}" for name in names)
        lines.append(f"| {row['backend']} | {cells} | {row['sum_of_means_ms']:.1f} |")
    return "\n".join(lines)


def _growth(whole: dict[str, Any]) -> str:
    growth = whole["growth"]
    lines = [f"| ms with {growth['backend']} | |", "|---|---|"]
    for text, key in TITLES.items():
        cells = ", ".join(f"{name}: {ms:.1f}" for name, ms in growth[key].items())
        lines.append(f"| {text} | {cells} |")
    return "\n".join(lines)


TITLES = {
    "head, by boxes": "head_ms_of_boxes",
    "whole frame, by size": "frame_ms_of_size",
    "grid for one stream, by streams": "grid_ms_a_frame_of_streams",
}
