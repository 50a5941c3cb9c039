package sampo.glue

import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import qupath.lib.objects.PathObject
import qupath.lib.objects.classes.PathClass
import sampo.transport.BridgeFault

import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList

/**
 * What the user says of the objects of one image. A judgement is stored by the server before its method returns, or kept here
 * until the server can take it: none is lost. Each is one step that can be taken back.
 */
@CompileStatic
class Judging {
    /** Answers that sending a judgement again would not change. */
    private static final Set<String> REFUSALS = ['InvalidParams', 'IntentNotFound', 'ObjectNotFound', 'GeometryInvalid'] as Set<String>
    private final ImageSession session
    /** By intent, then by id of the object: the kind of judgement. */
    private final Map<String, Map<String, String>> verdicts = new ConcurrentHashMap<>()
    /** Judgements that could not be sent yet, oldest first. */
    private final List<Waiting> outbox = new CopyOnWriteArrayList<>()

    Judging(ImageSession session) { this.session = session }

    /** "accept" or "reject"; null for an object that was not judged. */
    String verdict(String intentId, UUID id) { return verdicts.get(intentId)?.get(id.toString()) }

    /** How many objects of this image were judged for an intent. */
    int judged(String intentId) { return verdicts.get(intentId)?.size() ?: 0 }

    int getUnsent() { return outbox.size() }

    /** Accepts or rejects objects. Rejected ones leave the image. */
    void judge(String intentId, Collection<PathObject> objects, boolean accept) {
        if (objects.isEmpty()) return
        Set<UUID> ids = note(intentId, objects, accept ? 'accept' : 'reject')
        session.steps.note(new Step(accept ? new PlacedChange([], []) : session.placer.apply([], ids), intentId, ids))
    }

    /** Rejects objects that stay in the image, since the user has given them another class. */
    void rejectOnly(String intentId, Collection<PathObject> objects) {
        Set<UUID> ids = note(intentId, objects, 'reject')
        session.steps.note(new Step(new PlacedChange([], []), intentId, ids))
    }

    /** The same for objects of the review queue, which may not be in the image: accepted ones come into it. One step. */
    void judgeFeatures(String intentId, List<JsonObject> accepted, List<JsonObject> rejected) {
        List<JsonObject> judgements = accepted.collect { JsonObject feature -> judgementOf('accept', feature) } +
            rejected.collect { JsonObject feature -> judgementOf('reject', feature) }
        if (judgements.isEmpty()) return
        submit(intentId, judgements)
        Set<UUID> yes = idsOf(accepted), no = idsOf(rejected)
        noteVerdicts(intentId, yes, 'accept')
        noteVerdicts(intentId, no, 'reject')
        Set<UUID> present = session.placer.find(yes).keySet()
        List<JsonObject> absent = accepted.findAll { JsonObject feature -> !present.contains(UUID.fromString(Json.text(feature, 'id'))) }
        PlacedChange change = session.placer.apply(absent, no)
        session.steps.note(new Step(change, intentId, (yes + no) as Set<UUID>))
    }

    /** An object drawn by the user is of the type. It is the user's from now on. */
    void addDrawn(String intentId, PathObject drawn) {
        Intent intent = session.workspace.intent(intentId)
        submit(intentId, [judgementOf('add', drawn)])
        drawn.pathClass = PathClass.fromString(intent.name)
        session.data.hierarchy.fireObjectClassificationsChangedEvent(this, [drawn])
        session.steps.note(new Step(new PlacedChange([], []), intentId, [drawn.ID] as Set<UUID>))
    }

    /** The user has reshaped an object of ours. */
    void edited(String intentId, PathObject object) {
        submit(intentId, [judgementOf('edit', object)])
        session.steps.note(new Step(new PlacedChange([], []), intentId, [object.ID] as Set<UUID>))
    }

    /** Of the candidates of a click, `chosen` is the outline wanted: the clicked object takes it. */
    void better(String intentId, JsonObject candidates, int chosen) {
        submit(intentId, [Json.object(kind: 'better', promptId: Json.text(candidates, 'promptId'), chosen: chosen)])
        JsonObject feature = Json.objects(candidates, 'masks').get(chosen).getAsJsonObject('feature')
        JsonObject click = candidates.getAsJsonObject('click')
        PathObject under = click == null ? null : session.objectAt(click.get('x').asDouble, click.get('y').asDouble)
        PlacedChange change = feature == null || under == null ? new PlacedChange([], [])
            : session.placer.apply([reshaped(under, feature)], Collections.<UUID>emptySet())
        session.steps.note(new Step(change, intentId))
    }

    /**
     * Takes the last judgement of an intent back, on the server too.
     * @throws IllegalArgumentException when it was made in another image: the server takes back the last one of all images
     */
    void undo(String intentId, Set<UUID> ids) {
        Deque<Judging> order = session.workspace.judgedLast(intentId)
        if (order.peekLast() != null && !order.peekLast().is(this))
            throw new IllegalArgumentException('the last judgement of this class was made in another image: take that back first, there')
        session.workspace.client.ask('preference/undo', Json.object(intentId: intentId))
        order.pollLast()
        for (UUID id : ids) verdicts.get(intentId)?.remove(id.toString())
    }

    /** What the server knows of this image, also from other sessions. */
    void read(String intentId) {
        Map<String, String> known = new ConcurrentHashMap<>()
        JsonObject answer = session.workspace.client.ask('preference/list', Json.object(intentId: intentId))
        for (JsonObject judgement : Json.objects(answer, 'judgements')) {
            String id = Json.text(judgement, 'objectId')
            if (id != null && Json.text(judgement, 'imageUri') == session.image.uri) known.put(id, Json.text(judgement, 'kind'))
        }
        verdicts.put(intentId, known)
    }

    /** The features without what the user has rejected. */
    List<JsonObject> wanted(List<Intent> intents, List<JsonObject> features) {
        Map<String, Map<String, String>> byClass = new HashMap<>()
        for (Intent intent : intents) byClass.put(intent.name, verdicts.get(intent.id) ?: new HashMap<String, String>())
        return features.findAll { JsonObject feature ->
            byClass.get(Features.className(feature))?.get(Json.text(feature, 'id')) != 'reject'
        }
    }

    /** Sends what waits, oldest first. What the server cannot take now stays; what it refuses for good is said and dropped. */
    void flush() {
        // The session's own lock: opening an image sends what waits, and sending opens the image.
        synchronized (session) {
            try {
                if (!outbox.isEmpty()) session.open()
            } catch (BridgeFault fault) {
                tellWaiting(fault)
                return
            }
            while (!outbox.isEmpty()) {
                Waiting next = outbox.get(0)
                try {
                    session.workspace.client.ask('preference/submit', Json.object(intentId: next.intentId, imageId: session.imageId, judgements: next.judgements))
                    outbox.remove(next)
                } catch (BridgeFault fault) {
                    if (!(fault.name in REFUSALS)) {
                        tellWaiting(fault)
                        return
                    }
                    outbox.remove(next)
                    throw fault
                }
            }
        }
    }

    private void tellWaiting(BridgeFault fault) {
        session.workspace.log.call("${outbox.size()} judgements wait for the server: ${fault.message}" as String)
    }

    private Set<UUID> note(String intentId, Collection<PathObject> objects, String kind) {
        submit(intentId, objects.collect { PathObject object -> judgementOf(kind, object) })
        Set<UUID> ids = objects.collect { PathObject object -> object.ID } as Set<UUID>
        noteVerdicts(intentId, ids, kind)
        return ids
    }

    private void submit(String intentId, List<JsonObject> judgements) {
        outbox.add(new Waiting(intentId, judgements))
        session.workspace.judgedLast(intentId).addLast(this)
        flush()
    }

    private void noteVerdicts(String intentId, Set<UUID> ids, String kind) {
        Map<String, String> known = verdicts.computeIfAbsent(intentId) { String id -> new ConcurrentHashMap<String, String>() }
        for (UUID id : ids) known.put(id.toString(), kind)
    }

    /** The feature under the object's id and with its measurements. */
    private static JsonObject reshaped(PathObject object, JsonObject feature) {
        JsonObject placed = feature.deepCopy()
        placed.addProperty('id', object.ID.toString())
        JsonObject measurements = new JsonObject()
        object.measurements.each { String name, Number value -> measurements.addProperty(name, value) }
        placed.getAsJsonObject('properties').add('measurements', measurements)
        return placed
    }

    private static Set<UUID> idsOf(List<JsonObject> features) {
        return features.collect { JsonObject feature -> UUID.fromString(Json.text(feature, 'id')) } as Set<UUID>
    }

    private static JsonObject judgementOf(String kind, PathObject object) {
        return Json.object(kind: kind, objectId: object.ID.toString(), geometry: Features.toGeometry(object.ROI))
    }

    private static JsonObject judgementOf(String kind, JsonObject feature) {
        return Json.object(kind: kind, objectId: Json.text(feature, 'id'), geometry: feature.get('geometry'))
    }

    /** Judgements of one intent on their way to the server. */
    @CompileStatic
    private static class Waiting {
        final String intentId
        final List<JsonObject> judgements

        Waiting(String intentId, List<JsonObject> judgements) {
            this.intentId = intentId
            this.judgements = judgements
        }
    }
}
