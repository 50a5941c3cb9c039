package qupath.lib.regions

class ImagePlane {
    private final int z, t
    private ImagePlane(int z, int t) { this.z = z; this.t = t }
    static ImagePlane getPlane(int z, int t) { return new ImagePlane(z, t) }
    static ImagePlane getDefaultPlane() { return getPlane(0, 0) }
    int getZ() { return z }
    int getT() { return t }
}
