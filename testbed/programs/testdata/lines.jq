# Every kind of work that jq does, over lines of words: regular expressions, objects, paths,
# recursion, reductions, formats, errors.
def histogram(f): reduce (.[] | f) as $k ({}; .[$k] += 1);
def fib: if . < 2 then . else (. - 1 | fib) + (. - 2 | fib) end;

[inputs | capture("^(?<number>[0-9]+) (?<words>.*)$") | .number |= tonumber | .words |= split(" ")] as $lines
| ($lines | map(.words) | add) as $words
| {
    lines: ($lines | length),
    words: ($words | length),
    first: ($words | histogram(.[:1])),
    vowels: ($words | map(select(test("^[aeiou]+$"))) | unique | .[:20]),
    longest: ($words | group_by(length) | last | unique),
    swapped: ($words[:200] | map(gsub("(?<a>[a-m])(?<b>[n-z])"; .b + .a)) | join(" ")),
    means: ($lines[:50] | map(.words | map(length) | add / length)),
    spread: ($lines | map(.words | length) | [min, max, add / length, (map(. * .) | add | sqrt)]),
    paths: ($lines[:3] | [paths(type == "string")] | length),
    rows: [$lines[:8][] | [.number, .words[0], (.words | length)] | @csv],
    coded: ($lines[0].words | tojson | [@base64, @uri, @html, @sh]),
    decoded: ($lines[1].words | tojson | @base64 | @base64d | fromjson | length),
    caught: [$lines[:3][] | try (.words | keys | error) catch length],
    late: [limit(5; $lines | reverse[] | select(.words | length > 8) | .number)],
    streamed: ($lines[:20] | [tostream] | fromstream(.[]) | length),
    fib: (18 | fib),
    dates: [0, 86399, 1e9 | todate]
  }
| .order = (to_entries | map(.key) | sort), delpaths([["first"], ["means"]])
