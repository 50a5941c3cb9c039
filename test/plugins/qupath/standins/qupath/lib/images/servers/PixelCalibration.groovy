package qupath.lib.images.servers

class PixelCalibration {
    protected Double microns
    boolean hasPixelSizeMicrons() { return microns != null }
    double getAveragedPixelSizeMicrons() { return microns == null ? Double.NaN : microns }
}
