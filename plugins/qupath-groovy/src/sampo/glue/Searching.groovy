package sampo.glue

import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import qupath.lib.objects.PathObject
import sampo.transport.BridgeFault
import sampo.transport.RpcCall

import java.util.concurrent.CopyOnWriteArrayList

/** Searches in one image: what they find is placed as it comes, and each search can be taken back as one step. */
@CompileStatic
class Searching {
    /** Streamed objects are placed at most this often: each placing makes QuPath draw anew. */
    private static final long PLACING_INTERVAL_MS = 250
    /** As many results as the server keeps for one client. */
    private static final int RESULTS = 16
    /** Least score shown; null for each intent's own. */
    Double threshold
    private final ImageSession session
    private volatile RpcCall running
    private final List<SearchOutcome> outcomes = new CopyOnWriteArrayList<>()

    Searching(ImageSession session) { this.session = session }

    boolean isUnderWay() { return running != null }

    /** Stops the search under way. */
    void cancel() { running?.cancel() }

    /** The latest search; null before the first. */
    SearchOutcome getLatest() { return outcomes ? outcomes.last() : null }

    /** The latest search for an intent; null for none. */
    SearchOutcome latestOf(String intentId) {
        return outcomes.reverse().find { SearchOutcome outcome -> outcome.intentIds.contains(intentId) }
    }

    /** Results of an intent that the server may still have. */
    List<String> resultIds(String intentId) {
        return outcomes.findAll { SearchOutcome outcome -> outcome.intentIds.contains(intentId) }.collect { SearchOutcome outcome -> outcome.resultId }
    }

    /** The server has forgotten the results, or they are of another picture. */
    void forgetResults() { outcomes.clear() }

    /** As ImageSession.search. */
    SearchOutcome search(List<Intent> intents, JsonObject extent, List<Prompts> extra, boolean remember, Closure<?> onProgress) {
        long start = System.nanoTime()
        ObjectPlacer placer = session.placer
        session.open()
        JsonObject params = params(intents, extra, extent, remember)
        int depth = placer.depth
        List<JsonObject> waiting = new ArrayList<>()
        // As each was streamed; the answer corrects scores, and takes back what the whole image speaks against.
        Map<UUID, String> streamed = new HashMap<>()
        long lastPlaced = 0
        JsonObject answer
        try {
            answer = ask(params, onProgress) { JsonObject value ->
                waiting.addAll(session.judging.wanted(intents, Json.objects(value, 'objects')))
                long now = System.currentTimeMillis()
                if (!waiting.isEmpty() && now - lastPlaced > PLACING_INTERVAL_MS) {
                    place(waiting, streamed)
                    waiting.clear()
                    lastPlaced = now
                }
            }
        } catch (BridgeFault fault) {
            session.steps.note(new Step(placer.mergeSince(depth)))
            throw fault
        }
        List<JsonObject> features = session.judging.wanted(intents, Json.objects(answer.getAsJsonObject('featureCollection'), 'features'))
        List<JsonObject> other = features.findAll { JsonObject feature -> streamed.get(idOf(feature)) != feature.toString() }
        placer.apply(other, gone(intents, extent, idsOf(features), streamed.keySet()))
        PlacedChange change = placer.mergeSince(depth)
        session.steps.note(new Step(change))
        SearchOutcome outcome = new SearchOutcome(answer, extent, intents.collect { Intent intent -> intent.id }, change,
            features.countBy { JsonObject feature -> Features.className(feature) }, (System.nanoTime() - start) / 1e9d)
        keep(outcome)
        if (remember) session.workspace.refreshIntents()
        return outcome
    }

    /** As ImageSession.applyThreshold. */
    Map<String, Integer> applyThreshold(Double least) {
        threshold = least
        ObjectPlacer placer = session.placer
        Map<String, Integer> counts = new HashMap<>()
        int depth = placer.depth
        for (SearchOutcome outcome : new ArrayList<SearchOutcome>(outcomes)) {
            JsonObject answer
            try {
                answer = session.workspace.client.ask('segment/threshold', Json.object(resultId: outcome.resultId, filters: filters() ?: new JsonObject()))
            } catch (BridgeFault fault) {
                if (fault.name == 'ResultNotFound') { outcomes.remove(outcome); continue }
                throw fault
            }
            List<Intent> intents = outcome.intentIds.collect { String id -> session.workspace.intent(id) }.findAll { Intent intent -> intent != null }.toList()
            List<JsonObject> features = session.judging.wanted(intents, Json.objects(answer.getAsJsonObject('featureCollection'), 'features'))
            Set<UUID> found = idsOf(features)
            Map<UUID, PathObject> present = placer.find(found)
            placer.remeasure(present, features)
            placer.apply(features.findAll { JsonObject feature -> !present.containsKey(idOf(feature)) },
                gone(intents, outcome.extent, found, Collections.<UUID>emptySet()))
            for (JsonObject feature : features) counts.merge(Features.className(feature), 1) { Integer a, Integer b -> a + b }
        }
        session.steps.note(new Step(placer.mergeSince(depth)))
        return counts
    }

    /** Params of `segment/prompt`. @param extra further prompts, one per intent at most */
    JsonObject params(List<Intent> intents, List<Prompts> extra, JsonObject extent, boolean remember) {
        List<JsonObject> prompts = intents.collect { Intent intent ->
            Prompts own = extra.find { Prompts given -> given.intentId == intent.id } ?: new Prompts(intent.id)
            own.add(session.clicks).params()
        }
        Double microns = session.image.pixelSizeMicrons == null ? session.pixelSize : null
        return Json.object(imageId: session.imageId, intents: prompts, extent: extent, remember: remember, pixelSizeMicrons: microns, filters: filters())
    }

    /**
     * Asks `segment/prompt` and waits; `cancel` reaches it.
     * @param onProgress hears message, percentage (0 to 100) and seconds left @param onValue hears every progress value
     */
    JsonObject ask(JsonObject params, Closure<?> onProgress, Closure<?> onValue = null) {
        RpcCall call = session.workspace.client.request('segment/prompt', params) { JsonObject value ->
            if (onValue != null) onValue.call(value)
            if (onProgress != null && value.get('kind').asString == 'report')
                onProgress.call(Json.text(value, 'message') ?: '', Json.number(value, 'percentage'), Json.number(value, 'etaSeconds'))
        }
        running = call
        try {
            return call.awaitObject()
        } finally {
            if (running.is(call)) running = null
        }
    }

    private void place(List<JsonObject> features, Map<UUID, String> streamed) {
        for (JsonObject feature : features) streamed.put(idOf(feature), feature.toString())
        session.placer.apply(new ArrayList<JsonObject>(features), Collections.<UUID>emptySet())
    }

    /** What this search has answered anew is over. */
    private void keep(SearchOutcome outcome) {
        outcomes.removeAll { SearchOutcome earlier -> earlier.extent == outcome.extent && earlier.intentIds == outcome.intentIds }
        outcomes.add(outcome)
        while (outcomes.size() > RESULTS) outcomes.remove(0)
    }

    /** Ours of these intents in the extent that are not found any more and were not judged. */
    private Set<UUID> gone(List<Intent> intents, JsonObject extent, Set<UUID> found, Set<UUID> streamed) {
        Map<String, String> ids = new HashMap<>()
        for (Intent intent : intents) ids.put(intent.name, intent.id)
        Set<UUID> gone = new HashSet<>()
        for (PathObject object : session.placer.all()) {
            String intentId = ids.get(object.pathClass?.toString())
            if (intentId == null || found.contains(object.ID) || session.judging.verdict(intentId, object.ID) != null) continue
            if (streamed.contains(object.ID) || Extents.contains(extent, object.ROI.centroidX, object.ROI.centroidY)) gone.add(object.ID)
        }
        return gone
    }

    private JsonObject filters() { return threshold == null ? null : Json.object(threshold: threshold) }

    private static UUID idOf(JsonObject feature) { return UUID.fromString(Json.text(feature, 'id')) }

    private static Set<UUID> idsOf(List<JsonObject> features) {
        return features.collect { JsonObject feature -> idOf(feature) } as Set<UUID>
    }
}
