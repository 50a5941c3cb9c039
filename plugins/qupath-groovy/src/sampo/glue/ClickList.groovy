package sampo.glue

import com.google.gson.JsonElement
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import groovy.transform.CompileStatic
import qupath.lib.images.ImageData
import qupath.lib.regions.ImagePlane

import java.util.concurrent.CopyOnWriteArrayList

/** The clicks on one plane of an image. They lie in the image's own data, so that they come back with a saved project. */
@CompileStatic
class ClickList {
    private static final String PROPERTY = 'sampo.clicks'
    final List<Click> clicks = new CopyOnWriteArrayList<>()
    private final ImageData<?> data
    private final String property

    /** @param log hears of kept clicks that cannot be read */
    ClickList(ImageData<?> data, ImagePlane plane, Closure<?> log) {
        this.data = data
        this.property = plane.z == 0 && plane.t == 0 ? PROPERTY : "$PROPERTY z=${plane.z} t=${plane.t}" as String
        read(log)
    }

    void add(Click click) {
        clicks.add(click)
        keep()
    }

    /** Takes the last click of an intent back. @return it, or null when there is none */
    Click dropLast(String intentId) {
        Click last = clicks.reverse().find { Click click -> click.intentId == intentId }
        if (last != null) {
            clicks.remove(last)
            keep()
        }
        return last
    }

    void clear(String intentId) {
        clicks.removeAll { Click click -> click.intentId == intentId }
        keep()
    }

    private void keep() {
        data.setProperty(property, Json.array(clicks.collect { Click click ->
            [intent: click.intentId, x: click.x, y: click.y, positive: click.positive]
        }).toString())
    }

    private void read(Closure<?> log) {
        Object kept = data.getProperty(property)
        if (!(kept instanceof String)) return
        try {
            for (JsonElement element : JsonParser.parseString((String) kept).asJsonArray) {
                JsonObject click = element.asJsonObject
                clicks.add(new Click(click.get('intent').asString, click.get('x').asDouble, click.get('y').asDouble, click.get('positive').asBoolean))
            }
        } catch (RuntimeException damaged) {
            log.call("the clicks kept with the image cannot be read: ${damaged.message}" as String)
        }
    }
}
