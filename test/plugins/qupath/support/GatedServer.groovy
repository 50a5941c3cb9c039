package support

import qupath.lib.images.servers.ImageChannel
import qupath.lib.images.servers.WrappedBufferedImageServer
import qupath.lib.regions.RegionRequest

import java.awt.image.BufferedImage

/** An image server whose reads a test can hold up or make fail. Every plane of it looks the same. */
class GatedServer extends WrappedBufferedImageServer {
    /** Called before each read of a region. */
    volatile Closure<?> before = { RegionRequest request -> }

    GatedServer(BufferedImage image, String name = 'test') { super(name, image) }

    GatedServer(BufferedImage image, List<ImageChannel> channels) { super('test', image, channels) }

    @Override
    BufferedImage readRegion(RegionRequest request) {
        before.call(request)
        return super.readRegion(RegionRequest.createInstance(path, request.downsample, request.x, request.y, request.width, request.height, 0, 0))
    }
}
