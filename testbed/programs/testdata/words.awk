# Counts, sorts, edits, writes and reads back; what it prints is the same in every awk.

function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }

function qsort(a, left, right,    i, last) {
	if (left >= right) return
	swap(a, left, left + int((right - left + 1) / 2))
	last = left
	for (i = left + 1; i <= right; i++)
		if (before(a[i], a[left])) swap(a, ++last, i)
	swap(a, left, last)
	qsort(a, left, last - 1)
	qsort(a, last + 1, right)
}

function before(x, y) { return count[x] != count[y] ? count[x] > count[y] : x < y }

function swap(a, i, j,    t) { t = a[i]; a[i] = a[j]; a[j] = t }

{
	for (i = 2; i <= NF; i++) count[$i]++
	longest = NF > longest ? NF : longest
	by_first[substr($2, 1, 1), NF]++
}

# A pattern with a match in it, and fields that are assigned to.
match($0, /([aeiou][^aeiou ])+[aeiou]/) && RLENGTH > 8 {
	found = substr($0, RSTART, RLENGTH)
	rhymes[found] = rhymes[found] " " NR
	$1 = toupper(found)
	edited = $0
	replaced += gsub(/[aeiou]+/, "<&>", edited)
	print edited > out
}

NR % 50 == 0, NR % 50 == 3 { spans = spans ":" NR }

/^[0-9]*7 / { next }

{ not_seven++ }

END {
	for (word in count) order[++words] = word
	qsort(order, 1, words)
	for (i = 1; i <= 25; i++)
		printf "%-12s%6d %6.2f%% %s\n", order[i], count[order[i]], 100 * count[order[i]] / NR, sprintf("%c%o", order[i], i)
	print words, longest, replaced, not_seven, spans

	for (key in by_first) {
		split(key, part, SUBSEP)
		weight[part[1]] += part[2] * by_first[key]
	}
	for (letter = 97; letter < 123; letter++) {
		name = sprintf("%c", letter)
		if (name in weight) line = line name "=" weight[name] ","
	}
	print line, split(line, part, /[=,]/)

	close(out)
	while ((getline back < out) > 0) {
		lines++
		length_back += length(back)
		check = (check * 31 + index(back, "<")) % 65521
	}
	for (r in rhymes) n += length(rhymes[r])
	print lines, length_back, check, n

	for (x = 0; x < 2000; x++) sum += sin(x) * exp(-x / 500) + log(x + 1) / sqrt(x + 1) - atan2(x, 7) ^ 2
	print sum, fib(16), 2 ^ 40, 1e300 * 1e10, int(-3.9), 7 % -3, "3x" + 4
	exit words % 7
}
