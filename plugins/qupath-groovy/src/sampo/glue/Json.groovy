package sampo.glue

import com.google.gson.JsonArray
import com.google.gson.JsonElement
import com.google.gson.JsonNull
import com.google.gson.JsonObject
import groovy.transform.CompileStatic

/** Params written as Groovy maps and lists. */
@CompileStatic
class Json {
    static JsonObject object(Map<String, ?> members) {
        JsonObject made = new JsonObject()
        for (Map.Entry<String, ?> member : members.entrySet()) if (member.value != null) made.add(member.key, element(member.value))
        return made
    }

    static JsonArray array(Iterable<?> elements) {
        JsonArray made = new JsonArray()
        for (Object one : elements) made.add(element(one))
        return made
    }

    private static JsonElement element(Object value) {
        JsonArray single = new JsonArray()
        if (value == null) return JsonNull.INSTANCE
        if (value instanceof JsonElement) return (JsonElement) value
        if (value instanceof Map) return object((Map<String, ?>) value)
        if (value instanceof Iterable) return array((Iterable<?>) value)
        if (value instanceof Number) single.add((Number) value)
        else if (value instanceof Boolean) single.add((Boolean) value)
        else single.add(value.toString())
        return single.get(0)
    }

    static String text(JsonObject of, String member) {
        JsonElement value = of.get(member)
        return value != null && value.isJsonPrimitive() ? value.asString : null
    }

    static Double number(JsonObject of, String member) {
        JsonElement value = of.get(member)
        return value != null && value.isJsonPrimitive() ? value.asDouble : null
    }

    static List<JsonObject> objects(JsonObject of, String member) {
        JsonElement value = of.get(member)
        return value != null && value.isJsonArray() ? value.asJsonArray.collect { JsonElement one -> one.asJsonObject } : new ArrayList<JsonObject>()
    }
}
