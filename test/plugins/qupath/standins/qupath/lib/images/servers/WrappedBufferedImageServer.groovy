package qupath.lib.images.servers

import qupath.lib.regions.RegionRequest

import java.awt.image.BufferedImage

class WrappedBufferedImageServer implements ImageServer<BufferedImage> {
    private final String name
    private final BufferedImage image
    private final List<ImageChannel> channels
    private ImageServerMetadata metadata = new ImageServerMetadata()
    WrappedBufferedImageServer(String name, BufferedImage image) { this(name, image, null) }
    WrappedBufferedImageServer(String name, BufferedImage image, List<ImageChannel> channels) {
        this.name = name; this.image = image
        this.channels = channels ?: (1..image.raster.numBands).collect { ImageChannel.getInstance("Channel $it" as String, null) }
    }
    int getWidth() { return image.width }
    int getHeight() { return image.height }
    boolean isRGB() { return image.type in [BufferedImage.TYPE_INT_RGB, BufferedImage.TYPE_3BYTE_BGR, BufferedImage.TYPE_INT_ARGB] }
    int nChannels() { return channels.size() }
    ImageChannel getChannel(int channel) { return channels[channel] }
    ImageServerMetadata getMetadata() { return metadata }
    void setMetadata(ImageServerMetadata metadata) { this.metadata = metadata }
    PixelCalibration getPixelCalibration() { return new PixelCalibration(microns: metadata.microns) }
    String getPath() { return "WrappedBufferedImageServer: $name" }
    Collection<URI> getURIs() { return [] }
    BufferedImage readRegion(RegionRequest request) {
        int width = Math.max(1, Math.round(request.width / request.downsample) as int), height = Math.max(1, Math.round(request.height / request.downsample) as int)
        def raster = image.raster.createCompatibleWritableRaster(width, height)
        for (int y = 0; y < height; y++) for (int x = 0; x < width; x++)
            raster.setDataElements(x, y, image.raster.getDataElements(Math.min(image.width - 1, request.x + (x * request.downsample) as int), Math.min(image.height - 1, request.y + (y * request.downsample) as int), null))
        return new BufferedImage(image.colorModel, raster, image.colorModel.isAlphaPremultiplied(), null)
    }
}
