package qupath.lib.objects.classes

class PathClass {
    private static final Map<String, PathClass> KNOWN = [:]
    private final String text
    private Integer color
    private PathClass(String text) { this.text = text }
    static PathClass fromString(String text) { return fromString(text, null) }
    static synchronized PathClass fromString(String text, Integer color) {
        def known = KNOWN.computeIfAbsent(text) { new PathClass(it) }
        if (known.color == null) known.color = color
        return known
    }
    Integer getColor() { return color }
    void setColor(Integer color) { this.color = color }
    @Override
    String toString() { return text }
}
