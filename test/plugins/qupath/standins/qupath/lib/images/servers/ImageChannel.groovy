package qupath.lib.images.servers

class ImageChannel {
    private final String name
    private ImageChannel(String name) { this.name = name }
    static ImageChannel getInstance(String name, Integer color) { return new ImageChannel(name) }
    String getName() { return name }
}
