#!/usr/bin/env python3
"""Draws docs/growth.csv: dollars for a million of each operation against the size, both axes by powers of ten.
growth.py CSV > SVG"""
import csv, math, sys

PRICES = {"write": 0.625, "read": 0.125, "blob_put": 5.0, "blob_get": 0.4}  # dollars a million (tests/src/prices.rs)
COLOURS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f"]
WIDTH, HEIGHT, LEFT, TOP, ROOM, GAP = 330, 330, 60, 50, 165, 60
BOTTOM, CEILING = -1, 3  # powers of ten of dollars


def panel(rows, axis, left):
    points = {}
    for row in rows:
        if row["axis"] == axis:
            dollars = sum(float(row[kind]) * price for kind, price in PRICES.items())
            points.setdefault(row["operation"], []).append((int(row["size"]), dollars))
    sizes = sorted({size for line in points.values() for size, _ in line})
    low, high = math.log10(sizes[0]), max(math.log10(sizes[-1]), math.log10(sizes[0]) + 1)
    x = lambda size: left + (math.log10(size) - low) / (high - low) * WIDTH
    y = lambda dollars: TOP + HEIGHT * (1 - (math.log10(max(dollars, 10**BOTTOM)) - BOTTOM) / (CEILING - BOTTOM))
    out = [f'<rect x="{left}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>']
    for size in sizes:
        out.append(f'<line x1="{x(size):.1f}" y1="{TOP}" x2="{x(size):.1f}" y2="{TOP + HEIGHT}" stroke="#eee"/>')
        out.append(f'<text x="{x(size):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{size:,}</text>')
    for power in range(BOTTOM, CEILING + 1):
        at = y(10**power)
        out.append(f'<line x1="{left}" y1="{at:.1f}" x2="{left + WIDTH}" y2="{at:.1f}" stroke="#eee"/>')
        out.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">${10**power:g}</text>')
    name = "messages in the mailbox" if axis == "items" else "tenants"
    out.append(f'<text x="{left + WIDTH / 2}" y="{TOP + HEIGHT + 40}" text-anchor="middle">{name}</text>')
    # Labels beside the last points, pushed apart where they would cover one another.
    labels = sorted((y(line[-1][1]), operation) for operation, line in points.items())
    places, last = {}, -99.0
    for at, operation in labels:
        last = max(at, last + 15)
        places[operation] = last
    for colour, (operation, line) in zip(COLOURS, points.items()):
        line.sort()
        path = " ".join(f"{x(size):.1f},{y(dollars):.1f}" for size, dollars in line)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x(size):.1f}" cy="{y(dollars):.1f}" r="3" fill="{colour}"/>' for size, dollars in line]
        out.append(f'<text x="{left + WIDTH + 8}" y="{places[operation] + 4:.1f}" fill="{colour}">{operation}</text>')
    return out


def main():
    rows = list(csv.DictReader(open(sys.argv[1])))
    second = LEFT + WIDTH + ROOM + GAP
    width, height = second + WIDTH + ROOM, TOP + HEIGHT + 55
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">')
    print(f'<rect width="{width}" height="{height}" fill="white"/>')
    print(f'<text x="{LEFT}" y="25" font-size="15">Requests of a million operations, in dollars at list price</text>')
    print("\n".join(panel(rows, "items", LEFT) + panel(rows, "tenants", second)))
    print("</svg>")


main()
