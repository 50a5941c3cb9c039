package qupath.lib.geom

class Point2 {
    private final double x, y
    Point2(double x, double y) { this.x = x; this.y = y }
    double getX() { return x }
    double getY() { return y }
    @Override
    boolean equals(Object other) { return other instanceof Point2 && other.x == x && other.y == y }
    @Override
    int hashCode() { return Objects.hash(x, y) }
}
