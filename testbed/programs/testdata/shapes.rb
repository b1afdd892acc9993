# Objects, blocks, fibers, exceptions, strings, hashes and garbage, for TestMruby.
module Area
  include Comparable
  def <=>(other) = area <=> other.area
  def to_s = "#{self.class.name.downcase} of #{area}"
end

class Square
  include Area
  def initialize(side) = @side = side
  def area = @side * @side
end

class Circle
  include Area
  def initialize(radius) = @radius = radius
  def area = (@radius * @radius * 355).div(113)
  def method_missing(name, *args) = "a circle has no #{name}(#{args.join(', ')})"
end

shapes = (1..9).map { |n| n % 2 == 1 ? Square.new(n) : Circle.new(n) }
puts shapes.sort.map(&:to_s)
puts Circle.new(1).corners(4, :all)

primes = Fiber.new do
  found = []
  2.step(1.0 / 0) do |n|
    n = n.to_i
    next if found.any? { |p| n % p == 0 }
    found << n
    Fiber.yield n
  end
end
puts Array.new(60) { primes.resume }.join(' ')

def deep(n)
  raise ArgumentError, "bottom of #{n}" if n == 0
  deep(n - 1)
ensure
  $unwound = $unwound.to_i + 1
end

3.times do |i|
  begin
    deep(20 * (i + 1))
  rescue ArgumentError => e
    puts "#{e.class}: #{e.message}, unwound #{$unwound}"
  end
end

words = Hash.new(0)
20_000.times do |i|
  words["w#{i * i % 97}".to_sym] += 1
  "#{i}" * 5 # garbage
end
puts words.sort_by { |word, n| [-n, word.to_s] }.first(8).map { |word, n| "#{word}=#{n}" }.join(' ')

def fib(n) = n < 2 ? n : fib(n - 1) + fib(n - 2)
puts fib(17)
puts [3.25, -0.5, 1e100, 2.0**70].map { |x| Math.sqrt(x.abs).to_s }.join(' ')
puts (1..20).each_slice(6).map { |s| s.reduce(:+) }.inspect, "%05.2f|%-6s|%x" % [3.14159, 'ab', 255]
