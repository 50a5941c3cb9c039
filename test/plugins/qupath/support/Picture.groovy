package support

import com.google.gson.JsonObject
import com.google.gson.JsonParser
import sampo.transport.BinaryFrame

import javax.imageio.ImageIO
import java.awt.RenderingHints
import java.awt.image.BufferedImage
import java.util.concurrent.atomic.AtomicInteger

/** A real picture of the tests, and how a viewer answers for it. */
class Picture {
    private static final AtomicInteger BLOBS = new AtomicInteger()
    final BufferedImage image
    /** The middle of a nucleus of the type that most nuclei of a cluster have, px. */
    final Map<String, Integer> lymphocyte

    Picture(BufferedImage image, Map<String, Integer> lymphocyte) {
        this.image = image
        this.lymphocyte = lymphocyte
    }

    int getWidth() { return image.width }

    int getHeight() { return image.height }

    static Picture demo() {
        File folder = new File(TestServer.ROOT, 'models/demo')
        def click = JsonParser.parseString(new File(folder, 'clicks.json').text).asJsonObject.getAsJsonArray('clicks')[0].asJsonArray
        return new Picture(rgb(ImageIO.read(new File(folder, 'breast.png'))), [x: click[0].asInt, y: click[1].asInt])
    }

    /** The kind of picture that QuPath knows as RGB. */
    static BufferedImage rgb(BufferedImage read) {
        def image = new BufferedImage(read.width, read.height, BufferedImage.TYPE_INT_RGB)
        def g = image.createGraphics()
        g.drawImage(read, 0, 0, null)
        g.dispose()
        return image
    }

    /** Sends the pixels as a frame and names it. */
    JsonObject answer(request) {
        JsonObject p = request.params
        int x = p.get('x').asInt, y = p.get('y').asInt, w = p.get('width').asInt, h = p.get('height').asInt
        double downsample = p.get('downsample').asDouble
        int width = Math.max(1, Math.round(w / downsample) as int), height = Math.max(1, Math.round(h / downsample) as int)
        def part = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR)
        def g = part.createGraphics()
        g.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR)
        g.drawImage(image, 0, 0, width, height, x, y, x + w, y + h, null)
        g.dispose()
        byte[] bytes = new byte[width * height * 3]
        int[] row = new int[width]
        int i = 0
        for (int r = 0; r < height; r++) {
            part.getRGB(0, r, width, 1, row, 0, width)
            for (int v : row) {
                bytes[i++] = (byte) (v >> 16)
                bytes[i++] = (byte) (v >> 8)
                bytes[i++] = (byte) v
            }
        }
        String name = "test-${BLOBS.incrementAndGet()}"
        request.send(new BinaryFrame(name, 'raw', width, height, 3, bytes))
        def answer = new JsonObject()
        answer.addProperty('blob', name)
        return answer
    }
}
