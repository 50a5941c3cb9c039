package sampo.glue

import com.google.gson.JsonObject
import groovy.transform.CompileStatic

import javax.imageio.ImageIO
import java.awt.image.BufferedImage

/** A picture of an object as the server cut it, and where it lies in the image. */
@CompileStatic
class Thumbnail {
    final BufferedImage pixels
    /** Left upper corner, image px. */
    final double x
    final double y
    /** Image px per px of the picture, at least 1. */
    final double downsample

    Thumbnail(BufferedImage pixels, double x, double y, double downsample) {
        this.pixels = pixels
        this.x = x
        this.y = y
        this.downsample = downsample
    }

    /** @param picture of the answer of `review/next` @throws IllegalArgumentException when it cannot be read */
    Thumbnail(JsonObject picture) {
        this(decoded(Json.text(picture, 'base64')), picture.get('x').asDouble, picture.get('y').asDouble, picture.get('downsample').asDouble)
    }

    private static BufferedImage decoded(String base64) {
        BufferedImage pixels = ImageIO.read(new ByteArrayInputStream(Base64.decoder.decode(base64)))
        if (pixels == null) throw new IllegalArgumentException('a picture of the server cannot be read: update the plugin')
        return pixels
    }
}
