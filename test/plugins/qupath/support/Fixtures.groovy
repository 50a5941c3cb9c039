package support

import com.google.gson.JsonObject
import com.google.gson.JsonParser
import qupath.lib.images.ImageData
import qupath.lib.images.servers.ImageChannel
import qupath.lib.images.servers.ImageServerMetadata
import qupath.lib.objects.hierarchy.PathObjectHierarchy
import qupath.lib.objects.hierarchy.events.PathObjectHierarchyListener
import sampo.glue.Click
import sampo.glue.Json
import sampo.glue.Workspace

import java.awt.Transparency
import java.awt.color.ColorSpace
import java.awt.image.BufferedImage
import java.awt.image.ComponentColorModel

/** Images, objects and sessions for tests of the glue. */
class Fixtures {
    /** A feature of the server: a square, left upper corner at (x, y). */
    static JsonObject square(UUID id, double x, double y, double side, String name = 'Tumor', Double score = 0.9d) {
        def ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
        return Json.object(type: 'Feature', id: id.toString(), geometry: [type: 'Polygon', coordinates: [ring]],
            properties: [objectType: 'detection', classification: [name: name, color: [200, 30, 40]],
                         measurements: ['SAMPO score': score, 'SAMPO uncertainty': 0.2d, 'SAMPO round': 1]])
    }

    /** An open image. @param microns pixel size, null for an image without one */
    static ImageData<BufferedImage> dataOf(BufferedImage image, Double microns = 0.5d, ImageData.ImageType type = ImageData.ImageType.BRIGHTFIELD_H_E, List<ImageChannel> channels = null) {
        return opened(channels ? new GatedServer(image, channels) : new GatedServer(image), microns, type)
    }

    static ImageData<BufferedImage> opened(GatedServer server, Double microns = 0.5d, ImageData.ImageType type = ImageData.ImageType.BRIGHTFIELD_H_E) {
        def metadata = new ImageServerMetadata.Builder(server.metadata)
        if (microns != null) metadata.pixelSizeMicrons(microns, microns)
        server.metadata = metadata.build()
        return new ImageData<BufferedImage>(server, type)
    }

    /** The same image as the viewer reads it anew: other data, with the clicks that were saved. */
    static ImageData<BufferedImage> reopened(ImageData<BufferedImage> data) {
        def again = new ImageData<BufferedImage>(data.server, data.imageType)
        again.setProperty('sampo.clicks', data.getProperty('sampo.clicks'))
        return again
    }

    /** Grey values by band, 8 or 16 bit. */
    static BufferedImage bands(int width, int height, int count, int dataType, Closure<Integer> value) {
        def model = new ComponentColorModel(count == 1 ? ColorSpace.getInstance(ColorSpace.CS_GRAY) : new ManyBands(count), false, false, Transparency.OPAQUE, dataType)
        def raster = model.createCompatibleWritableRaster(width, height)
        for (int y = 0; y < height; y++) for (int x = 0; x < width; x++) for (int b = 0; b < count; b++) raster.setSample(x, y, b, value(x, y, b))
        return new BufferedImage(model, raster, false, null)
    }

    /** Counts the events of a hierarchy. */
    static Closure<Integer> counting(PathObjectHierarchy hierarchy) {
        int count = 0
        hierarchy.addListener({ event -> count++ } as PathObjectHierarchyListener)
        return { count }
    }

    static Workspace workspaceOf(File state) {
        def workspace = new Workspace(state, 'test')
        workspace.log = { println "  $it" }
        workspace.connect(false)
        return workspace
    }

    /** Three nuclei of one type in the picture of the demo. */
    static List<Click> clicksOf(String intentId) {
        def places = JsonParser.parseString(new File(TestServer.ROOT, 'models/demo/clicks.json').text).asJsonObject.getAsJsonArray('clicks')
        return places.collect { new Click(intentId, it.asJsonArray[0].asDouble, it.asJsonArray[1].asDouble, true) }
    }

    static class ManyBands extends ColorSpace {
        ManyBands(int count) { super(ColorSpace.TYPE_RGB, count) }
        float[] toRGB(float[] v) { return [v[0], v[0], v[0]] as float[] }
        float[] fromRGB(float[] v) { return new float[numComponents] }
        float[] toCIEXYZ(float[] v) { return toRGB(v) }
        float[] fromCIEXYZ(float[] v) { return fromRGB(v) }
    }
}
