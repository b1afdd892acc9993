// Numbers, objects, closures, strings, arrays, regular expressions.
function sieve(n) {
	var composite = [], count = 0, i, k;
	for (i = 0; i <= n; i++)
		composite[i] = false;
	for (i = 2; i <= n; i++)
		if (!composite[i]) {
			count++;
			for (k = i + i; k <= n; k += i)
				composite[k] = true;
		}
	return count;
}

function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

function Point(x, y) { this.x = x; this.y = y; }
Point.prototype.plus = function (p) { return new Point(this.x + p.x, this.y + p.y); };

function walk(n) {
	var at = new Point(0, 0), i;
	for (i = 0; i < n; i++)
		at = at.plus(new Point(i % 7 - 3, i % 5 - 2));
	return at.x + "," + at.y;
}

function words(n) {
	var counts = {}, text = "", i, found;
	for (i = 0; i < n; i++)
		text += "w" + (i * 7919 % 101) + " ";
	var parts = text.split(" ");
	for (i = 0; i < parts.length; i++)
		counts[parts[i]] = (counts[parts[i]] || 0) + 1;
	found = text.replace(/w(\d)(\d)/g, "$2$1").length;
	return found + ":" + Object.keys(counts).sort().length;
}

function compose(n) {
	var f = function (x) { return x; }, i;
	for (i = 0; i < 50; i++)
		f = (function (g, k) { return function (x) { return g(x) + k; }; })(f, i);
	var sum = 0;
	for (i = 0; i < n; i++)
		sum += f(i);
	return sum;
}

print("sieve", sieve(600000));
print("fib", fib(27));
print("walk", walk(500000));
print("words", words(40000));
print("compose", compose(15000));
