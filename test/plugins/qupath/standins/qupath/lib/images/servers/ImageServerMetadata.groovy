package qupath.lib.images.servers

class ImageServerMetadata {
    protected Double microns
    static class Builder {
        private final ImageServerMetadata made = new ImageServerMetadata()
        Builder(ImageServerMetadata of) { made.microns = of.microns }
        Builder pixelSizeMicrons(Number width, Number height) { made.microns = width as Double; return this }
        ImageServerMetadata build() { return made }
    }
}
