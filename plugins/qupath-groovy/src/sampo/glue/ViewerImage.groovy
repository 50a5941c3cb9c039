package sampo.glue

import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import qupath.lib.images.ImageData
import qupath.lib.images.servers.ImageServer
import qupath.lib.images.servers.PixelCalibration
import qupath.lib.regions.ImagePlane
import qupath.lib.regions.RegionRequest
import sampo.transport.BinaryFrame
import sampo.transport.ServerRequest

import java.awt.RenderingHints
import java.awt.image.BufferedImage
import java.awt.image.Raster
import java.security.MessageDigest
import java.util.concurrent.atomic.AtomicLong

/** One plane of an image of the viewer, as the SAMPO server sees it: a name, a size, a pixel size, and pixels on demand. */
@CompileStatic
class ViewerImage {
    private static final AtomicLong FRAMES = new AtomicLong()
    private static final int OVERVIEW = 1024

    final ImageServer<BufferedImage> server
    final ImagePlane plane
    /** Null for RGB. */
    final StainMap stains

    ViewerImage(ImageServer<BufferedImage> server, ImagePlane plane, StainMap stains) {
        this.server = server
        this.plane = plane
        this.stains = stains
    }

    /** The plane of an open image, with a guessed stain map where it is not RGB. Reads pixels. @throws IOException */
    static ViewerImage of(ImageData<BufferedImage> data, int z, int t) {
        ImageServer<BufferedImage> server = data.server
        ImagePlane plane = ImagePlane.getPlane(z, t)
        if (server.isRGB()) return new ViewerImage(server, plane, null)
        double downsample = Math.max(1d, Math.max(server.width, server.height) / (double) OVERVIEW)
        Raster overview = server.readRegion(RegionRequest.createInstance(server.path, downsample, 0, 0, server.width, server.height, z, t)).raster
        boolean brightfield = data.imageType.toString().toLowerCase(Locale.ROOT).contains('brightfield') ||
            (data.imageType == ImageData.ImageType.OTHER || data.imageType == ImageData.ImageType.UNSET) && server.nChannels() == 1 && light(overview)
        return new ViewerImage(server, plane, StainMap.guess(channelNames(server), overview, brightfield))
    }

    static List<String> channelNames(ImageServer<BufferedImage> server) {
        return (0..<server.nChannels()).collect { int channel -> server.getChannel(channel).name }
    }

    ViewerImage with(StainMap other) { return new ViewerImage(server, plane, other) }

    /**
     * The name under which the server keeps clicks and judgements: the file and its series, the plane, the stain map; for an
     * image that QuPath makes from others (cropped, rotated, joined), a digest of how it is made.
     */
    String getUri() {
        Collection<URI> uris = server.getURIs()
        String path = server.path
        String name
        if (uris.size() == 1) {
            String file = uris.first().toString()
            // A path is "Reader: file:/...[--series, 2]"; what stands behind the file belongs to the name, the reader does not.
            int at = path.indexOf(file)
            String rest = at >= 0 ? path.substring(at + file.length()) : "#${digest(path)}"
            name = file + seriesOf(rest)
        } else {
            name = "qupath:${digest(path)}"
        }
        if (plane.z != 0 || plane.t != 0) name += "#z=${plane.z},t=${plane.t}"
        if (stains != null) name += "#${stains.key}"
        return name
    }

    /** µm per px; null when the image has none. */
    Double getPixelSizeMicrons() {
        PixelCalibration calibration = server.pixelCalibration
        if (!calibration.hasPixelSizeMicrons()) return null
        double microns = calibration.averagedPixelSizeMicrons
        return microns > 0 && microns < 1000 ? microns : null
    }

    /** Params of `image/open`. @param pixelSize for an image that has none, or null */
    JsonObject openParams(Double pixelSize = null) {
        return Json.object(uri: uri, source: 'client', width: server.width, height: server.height,
            pixelSizeMicrons: getPixelSizeMicrons() ?: pixelSize, channels: 3)
    }

    /** Answers `image/readRegion`: sends the pixels and names them. @throws IOException */
    JsonObject answer(ServerRequest request) {
        JsonObject p = request.params
        BinaryFrame frame = region(p.get('x').asInt, p.get('y').asInt, p.get('width').asInt, p.get('height').asInt, p.get('downsample').asDouble)
        request.send(frame)
        return Json.object(blob: frame.blob)
    }

    /**
     * Pixels of a region in image px, RGB.
     * @return a frame of width / downsample x height / downsample, rounded, at least 1 x 1
     * @throws IOException when the viewer cannot read there
     */
    BinaryFrame region(int x, int y, int width, int height, double downsample) {
        int columns = Math.max(1, (int) Math.round(width / downsample)), rows = Math.max(1, (int) Math.round(height / downsample))
        // Always with the server's own path: others may bring another image's pixels from the cache.
        // Below a pixel or two QuPath may answer with black: such a region is read larger and reduced here.
        double reading = Math.max(1d, Math.min(downsample, Math.min(width, height) / 2d))
        RegionRequest request = RegionRequest.createInstance(server.path, downsample < 1 ? downsample : reading, x, y, width, height, plane)
        BufferedImage read = server.readRegion(request)
        if (read == null) throw new IOException("the viewer has no pixels at $x, $y ($width x $height)" as String)
        byte[] rgb
        if (stains == null) {
            rgb = rgbOf(sized(read, columns, rows))
        } else if (read.width == columns && read.height == rows) {
            rgb = stains.render(read.raster)
        } else {
            BufferedImage shown = new BufferedImage(read.width, read.height, BufferedImage.TYPE_INT_RGB)
            fill(shown, stains.render(read.raster))
            rgb = rgbOf(sized(shown, columns, rows))
        }
        return new BinaryFrame("qupath-${FRAMES.incrementAndGet()}" as String, 'raw', columns, rows, 3, rgb)
    }

    private static String seriesOf(String rest) {
        java.util.regex.Matcher series = rest =~ /--series,?\s*(\d+)/
        if (series.find()) return series.group(1) == '0' ? '' : "#series=${series.group(1)}"
        return rest.replaceAll(/[\[\]\s]/, '').isEmpty() ? '' : "#${digest(rest)}"
    }

    private static String digest(String text) {
        return MessageDigest.getInstance('SHA-256').digest(text.getBytes('UTF-8')).encodeHex().toString().substring(0, 24)
    }

    private static boolean light(Raster overview) {
        double[] values = overview.getSamples(overview.minX, overview.minY, overview.width, overview.height, 0, (double[]) null)
        Arrays.sort(values)
        return values[values.length.intdiv(2)] - values[0] > values[values.length - 1] - values[values.length.intdiv(2)]
    }

    private static BufferedImage sized(BufferedImage image, int width, int height) {
        if (image.width == width && image.height == height) return image
        BufferedImage made = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB)
        java.awt.Graphics2D g = made.createGraphics()
        g.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR)
        g.drawImage(image, 0, 0, width, height, null)
        g.dispose()
        return made
    }

    private static byte[] rgbOf(BufferedImage image) {
        int width = image.width, height = image.height
        byte[] rgb = new byte[width * height * 3]
        int[] row = new int[width]
        int i = 0
        for (int y = 0; y < height; y++) {
            image.getRGB(0, y, width, 1, row, 0, width)
            for (int x = 0; x < width; x++) {
                int v = row[x]
                rgb[i++] = (byte) (v >> 16)
                rgb[i++] = (byte) (v >> 8)
                rgb[i++] = (byte) v
            }
        }
        return rgb
    }

    private static void fill(BufferedImage image, byte[] rgb) {
        int i = 0
        int[] row = new int[image.width]
        for (int y = 0; y < image.height; y++) {
            for (int x = 0; x < image.width; x++, i += 3) row[x] = ((rgb[i] & 255) << 16) | ((rgb[i + 1] & 255) << 8) | (rgb[i + 2] & 255)
            image.setRGB(0, y, image.width, 1, row, 0, image.width)
        }
    }
}
