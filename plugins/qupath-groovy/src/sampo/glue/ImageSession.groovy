package sampo.glue

import com.google.gson.JsonElement
import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import qupath.lib.images.ImageData
import qupath.lib.objects.PathObject
import qupath.lib.objects.classes.PathClass
import qupath.lib.roi.interfaces.ROI
import sampo.transport.BridgeFault
import sampo.transport.RpcCall

import java.awt.image.BufferedImage
import java.util.concurrent.CopyOnWriteArrayList

/**
 * The work on one plane of one image: clicks, searches, judgements, refinements, each of which can be taken back. Methods
 * that ask the server wait for it, and throw BridgeFault.
 */
@CompileStatic
class ImageSession {
    private static final String CLICKS_PROPERTY = 'sampo.clicks'
    /** Streamed objects are placed at most this often: each placing makes QuPath draw anew. */
    private static final long PLACING_INTERVAL_MS = 250
    /** Answers that sending a judgement again would not change. */
    private static final Set<String> REFUSALS = ['InvalidParams', 'IntentNotFound', 'ObjectNotFound', 'GeometryInvalid'] as Set<String>

    final Workspace workspace
    final ImageData<BufferedImage> data
    final ObjectPlacer placer
    final List<Click> clicks = new CopyOnWriteArrayList<>()
    /** Given by the user for an image that has none, µm per px. */
    Double pixelSize
    /** Least score shown; null for each intent's own. */
    Double threshold
    private volatile ViewerImage image
    private volatile String imageId
    private volatile RpcCall running
    private volatile RpcCall refining
    private final Map<String, Map<String, String>> verdicts = new java.util.concurrent.ConcurrentHashMap<>()
    private final List<SearchOutcome> outcomes = new CopyOnWriteArrayList<>()
    /** Judgements that could not be sent yet: intentId and params. */
    private final List<List<Object>> outbox = new CopyOnWriteArrayList<>()
    private final List<Step> steps = new ArrayList<>()
    private List<PlacedChange> publishedChanges

    ImageSession(Workspace workspace, ImageData<BufferedImage> data, ViewerImage image) {
        this.workspace = workspace
        this.data = data
        this.image = image
        this.placer = new ObjectPlacer(data.hierarchy, image.plane)
        this.placer.log = { String line -> workspace.log.call(line) }
        readClicks()
    }

    ViewerImage getImage() { return image }

    /** Id on the server; null while it is not open there. */
    String getImageId() { return imageId }

    /** The latest search; null before the first. */
    SearchOutcome getLatest() { return outcomes ? outcomes.last() : null }

    int getUnsent() { return outbox.size() }

    // --- Clicks

    void addClick(Click click) {
        clicks.add(click)
        keepClicks()
    }

    /** Takes the last click of an intent back. @return it, or null when there is none */
    Click dropLastClick(String intentId) {
        Click last = clicks.reverse().find { Click one -> one.intentId == intentId }
        if (last != null) {
            clicks.remove(last)
            keepClicks()
        }
        return last
    }

    void clearClicks(String intentId) {
        clicks.removeAll { Click one -> one.intentId == intentId }
        keepClicks()
    }

    // --- Searching

    /** Shows the image otherwise to the server; earlier results belong to the earlier picture. */
    void setStains(StainMap stains) {
        cancel()
        closeOnServer()
        outcomes.clear()
        image = image.with(stains)
    }

    /** Opens the image on the server, unless it is open. @return its warnings */
    synchronized List<String> open() {
        if (imageId != null) return []
        JsonObject opened = workspace.client.ask('image/open', image.openParams(pixelSize))
        imageId = opened.get('imageId').asString
        for (Intent intent : workspace.intents) readVerdicts(intent.id)
        flush()
        return Json.objects(opened, 'warnings').collect { JsonObject one -> Json.text(one, 'message') }
    }

    /**
     * Finds all objects of the intents in an extent and places them as they come. Objects of an earlier search there that are
     * not found again go, unless the user judged, locked or edited them.
     * @param extra further prompts, one per intent at most @param remember whether the server keeps the examples
     * @param onProgress hears message, percentage (0 to 100) and seconds left
     * @throws BridgeFault RequestCancelled after `cancel`; what was placed by then stays and can be undone
     */
    SearchOutcome search(List<Intent> intents, JsonObject extent, List<Prompts> extra = [], boolean remember = true, Closure<?> onProgress = null) {
        long start = System.nanoTime()
        open()
        List<JsonObject> prompts = intents.collect { Intent intent ->
            Prompts own = extra.find { Prompts one -> one.intentId == intent.id } ?: new Prompts(intent.id)
            own.add(clicks).params()
        }
        JsonObject params = Json.object(imageId: imageId, intents: prompts, extent: extent, remember: remember,
            pixelSizeMicrons: image.pixelSizeMicrons == null ? pixelSize : null, filters: filters())
        int depth = placer.depth
        List<JsonObject> waiting = new ArrayList<>()
        // As each was streamed; the answer corrects scores, and takes back what the whole image speaks against.
        Map<UUID, String> streamed = new HashMap<>()
        long lastPlaced = 0
        RpcCall call = workspace.client.request('segment/prompt', params) { JsonObject value ->
            waiting.addAll(wanted(intents, Json.objects(value, 'objects')))
            long now = System.currentTimeMillis()
            if (!waiting.isEmpty() && now - lastPlaced > PLACING_INTERVAL_MS) {
                place(waiting, streamed)
                waiting.clear()
                lastPlaced = now
            }
            if (onProgress != null && value.get('kind').asString == 'report')
                onProgress.call(Json.text(value, 'message') ?: '', number(value, 'percentage'), number(value, 'etaSeconds'))
        }
        running = call
        JsonObject answer
        try {
            answer = call.awaitObject()
        } catch (BridgeFault fault) {
            noteStep(new Step(change: placer.mergeSince(depth)))
            throw fault
        } finally {
            if (running.is(call)) running = null
        }
        List<JsonObject> features = wanted(intents, Json.objects(answer.getAsJsonObject('featureCollection'), 'features'))
        Set<UUID> found = features.collect { JsonObject one -> UUID.fromString(Json.text(one, 'id')) } as Set<UUID>
        List<JsonObject> other = features.findAll { JsonObject one -> streamed.get(UUID.fromString(Json.text(one, 'id'))) != one.toString() }
        placer.apply(other, gone(intents, extent, found, streamed.keySet()))
        PlacedChange change = placer.mergeSince(depth)
        noteStep(new Step(change: change))
        SearchOutcome outcome = new SearchOutcome(answer, extent, intents.collect { Intent one -> one.id }, change,
            features.countBy { JsonObject one -> Features.className(one) }, (System.nanoTime() - start) / 1e9d)
        // What this search has answered anew is over.
        outcomes.removeAll { SearchOutcome one -> one.extent == outcome.extent && one.intentIds == outcome.intentIds }
        outcomes.add(outcome)
        while (outcomes.size() > 16) outcomes.remove(0)
        if (remember) workspace.refreshIntents()
        return outcome
    }

    /** Stops the search under way. */
    void cancel() { running?.cancel() }

    boolean isSearching() { return running != null }

    /**
     * Gives the objects the class of the intent they fit, where the score passes; nothing is added or moved.
     * @return how many got a class
     */
    int classify(Collection<PathObject> objects, List<Intent> intents, Closure<?> onProgress = null) {
        List<PathObject> areas = objects.findAll { PathObject one -> one.ROI != null && one.ROI.isArea() && !one.isLocked() }.toList()
        if (areas.isEmpty()) throw new IllegalArgumentException('select cells or detections first: there is nothing to classify')
        open()
        List<JsonObject> prompts = intents.collect { Intent intent -> new Prompts(intent.id).add(clicks).params() }
        double x0 = areas.min { PathObject o -> o.ROI.boundsX }.ROI.boundsX, y0 = areas.min { PathObject o -> o.ROI.boundsY }.ROI.boundsY
        double x1 = areas.collect { PathObject o -> o.ROI.boundsX + o.ROI.boundsWidth }.max(), y1 = areas.collect { PathObject o -> o.ROI.boundsY + o.ROI.boundsHeight }.max()
        JsonObject extent = Extents.around(x0, y0, x1, y1, 8, image.server.width, image.server.height)
        RpcCall call = workspace.client.request('segment/prompt', Json.object(imageId: imageId, intents: prompts, extent: extent, remember: false, filters: filters(),
            pixelSizeMicrons: image.pixelSizeMicrons == null ? pixelSize : null)) { JsonObject value ->
            if (onProgress != null && value.get('kind').asString == 'report')
                onProgress.call(Json.text(value, 'message') ?: '', number(value, 'percentage'), number(value, 'etaSeconds'))
        }
        running = call
        List<JsonObject> features
        try {
            features = Json.objects(call.awaitObject().getAsJsonObject('featureCollection'), 'features')
        } finally {
            if (running.is(call)) running = null
        }
        List<PathObject> found = Features.toDetections(features, image.plane) { JsonObject feature, String why -> }
        List<PathObject> changed = new ArrayList<>()
        for (PathObject object : areas) {
            ROI roi = object.ROI
            PathObject match = found.find { PathObject one ->
                roi.contains(one.ROI.centroidX, one.ROI.centroidY) || one.ROI.contains(roi.centroidX, roi.centroidY)
            }
            if (match == null) continue
            object.pathClass = match.pathClass
            object.measurementList.put(Features.SCORE, match.measurements.get(Features.SCORE).doubleValue())
            changed.add(object)
        }
        data.hierarchy.fireObjectClassificationsChangedEvent(this, changed)
        return changed.size()
    }

    /** Other least score for what was found, without inference. @return objects now shown, by class name */
    Map<String, Integer> applyThreshold(Double least) {
        threshold = least
        Map<String, Integer> counts = new HashMap<>()
        int depth = placer.depth
        for (SearchOutcome outcome : new ArrayList<SearchOutcome>(outcomes)) {
            JsonObject answer
            try {
                answer = workspace.client.ask('segment/threshold', Json.object(resultId: outcome.resultId, filters: filters() ?: new JsonObject()))
            } catch (BridgeFault fault) {
                if (fault.name == 'ResultNotFound') { outcomes.remove(outcome); continue }
                throw fault
            }
            List<Intent> intents = outcome.intentIds.collect { String id -> workspace.intent(id) }.findAll { Intent one -> one != null }.toList()
            List<JsonObject> features = wanted(intents, Json.objects(answer.getAsJsonObject('featureCollection'), 'features'))
            Set<UUID> found = features.collect { JsonObject one -> UUID.fromString(Json.text(one, 'id')) } as Set<UUID>
            Set<UUID> present = placer.find(found).keySet()
            placer.apply(features.findAll { JsonObject one -> !present.contains(UUID.fromString(Json.text(one, 'id'))) }, gone(intents, outcome.extent, found, Collections.<UUID>emptySet()))
            for (JsonObject feature : features) counts.merge(Features.className(feature), 1) { Integer a, Integer b -> a + b }
        }
        noteStep(new Step(change: placer.mergeSince(depth)))
        return counts
    }

    // --- Judging

    /** "accept" or "reject"; null for an object that was not judged. */
    String verdict(String intentId, UUID id) { return verdicts.get(intentId)?.get(id.toString()) }

    int judged(String intentId) { return verdicts.get(intentId)?.size() ?: 0 }

    /**
     * Accepts or rejects objects: stored by the server before this returns, or kept here until it can be. Rejected ones leave
     * the image.
     */
    void judge(String intentId, Collection<PathObject> objects, boolean accept) {
        if (objects.isEmpty()) return
        String kind = accept ? 'accept' : 'reject'
        submit(intentId, objects.collect { PathObject object ->
            Json.object(kind: kind, objectId: object.ID.toString(), geometry: Features.toGeometry(object.ROI))
        })
        Set<UUID> ids = objects.collect { PathObject one -> one.ID } as Set<UUID>
        noteVerdicts(intentId, ids, kind)
        noteStep(new Step(change: accept ? new PlacedChange([], []) : placer.apply([], ids), judgedIntent: intentId, ids: ids))
    }

    /** Rejects objects that stay in the image, since the user has given them another class. */
    void rejectOnly(String intentId, Collection<PathObject> objects) {
        submit(intentId, objects.collect { PathObject object ->
            Json.object(kind: 'reject', objectId: object.ID.toString(), geometry: Features.toGeometry(object.ROI))
        })
        Set<UUID> ids = objects.collect { PathObject one -> one.ID } as Set<UUID>
        noteVerdicts(intentId, ids, 'reject')
        noteStep(new Step(change: new PlacedChange([], []), judgedIntent: intentId, ids: ids))
    }

    /** The same for objects of the review queue, which may not be in the image: accepted ones come into it. One step. */
    void judgeFeatures(String intentId, List<JsonObject> accepted, List<JsonObject> rejected) {
        List<JsonObject> judgements = (accepted.collect { JsonObject one -> judgementOf('accept', one) } + rejected.collect { JsonObject one -> judgementOf('reject', one) })
        if (judgements.isEmpty()) return
        submit(intentId, judgements)
        Set<UUID> yes = idsOf(accepted), no = idsOf(rejected)
        noteVerdicts(intentId, yes, 'accept')
        noteVerdicts(intentId, no, 'reject')
        Set<UUID> present = placer.find(yes).keySet()
        PlacedChange change = placer.apply(accepted.findAll { JsonObject one -> !present.contains(UUID.fromString(Json.text(one, 'id'))) }, no)
        noteStep(new Step(change: change, judgedIntent: intentId, ids: union(yes, no)))
    }

    /** An object drawn by the user is of the type. It is the user's from now on. */
    void addDrawn(String intentId, PathObject drawn) {
        Intent intent = workspace.intent(intentId)
        submit(intentId, [Json.object(kind: 'add', objectId: drawn.ID.toString(), geometry: Features.toGeometry(drawn.ROI))])
        drawn.pathClass = PathClass.fromString(intent.name)
        data.hierarchy.fireObjectClassificationsChangedEvent(this, [drawn])
        noteStep(new Step(change: new PlacedChange([], []), judgedIntent: intentId, ids: [drawn.ID] as Set<UUID>))
    }

    /** The user has reshaped an object of ours. */
    void edited(String intentId, PathObject object) {
        submit(intentId, [Json.object(kind: 'edit', objectId: object.ID.toString(), geometry: Features.toGeometry(object.ROI))])
        noteStep(new Step(change: new PlacedChange([], []), judgedIntent: intentId, ids: [object.ID] as Set<UUID>))
    }

    /** Of the candidates of a click, `chosen` is the outline wanted: the clicked object takes it. */
    void better(String intentId, JsonObject candidates, int chosen) {
        submit(intentId, [Json.object(kind: 'better', promptId: Json.text(candidates, 'promptId'), chosen: chosen)])
        JsonObject feature = Json.objects(candidates, 'masks').get(chosen).getAsJsonObject('feature')
        JsonObject click = candidates.getAsJsonObject('click')
        PlacedChange change = new PlacedChange([], [])
        PathObject under = click == null ? null : placer.all().find { PathObject one -> one.ROI.contains(click.get('x').asDouble, click.get('y').asDouble) }
        if (feature != null && under != null) {
            JsonObject placed = feature.deepCopy()
            placed.addProperty('id', under.ID.toString())
            JsonObject measurements = new JsonObject()
            under.measurements.each { String name, Number value -> measurements.addProperty(name, value) }
            placed.getAsJsonObject('properties').add('measurements', measurements)
            change = placer.apply([placed], Collections.<UUID>emptySet())
        }
        noteStep(new Step(change: change, judgedIntent: intentId, ids: Collections.<UUID>emptySet()))
    }

    /** The most uncertain objects that were not judged, as features. */
    List<JsonObject> review(String intentId, int count) {
        SearchOutcome last = outcomes.reverse().find { SearchOutcome one -> one.intentIds.contains(intentId) }
        if (last == null) throw new IllegalArgumentException('find objects first: there is nothing to review')
        JsonObject page = workspace.client.ask('review/next', Json.object(resultId: last.resultId, intentId: intentId, count: count))
        return Json.objects(page, 'objects')
    }

    // --- Undo

    boolean canUndo() { return !steps.isEmpty() }

    /** Takes the last step of this image back: what it placed, and the judgement behind it. @return what it was, null for nothing */
    String undo() {
        Step last
        synchronized (steps) {
            if (steps.isEmpty()) return null
            last = steps.remove(steps.size() - 1)
        }
        if (last.judgedIntent != null) {
            workspace.client.ask('preference/undo', Json.object(intentId: last.judgedIntent))
            for (UUID id : last.ids) verdicts.get(last.judgedIntent)?.remove(id.toString())
        }
        if (!last.change.isEmpty()) placer.revert(last.change)
        return last.judgedIntent != null ? 'the judgement was taken back' : "${last.change.added.size()} objects were taken out, ${last.change.removed.size()} put back"
    }

    // --- Refining

    /**
     * Makes the intent better from what was judged. Changed objects change in place, those of the user stay.
     * @param onProgress hears message, percentage, seconds left, metrics
     */
    RefineOutcome refine(String intentId, Closure<?> onProgress = null) {
        open()
        flush()
        String previous = workspace.intent(intentId)?.checkpointId
        publishedChanges = Collections.synchronizedList(new ArrayList<PlacedChange>())
        List<String> resultIds = outcomes.findAll { SearchOutcome one -> one.intentIds.contains(intentId) }.collect { SearchOutcome one -> one.resultId }
        RpcCall call = workspace.client.request('training/start', Json.object(intentId: intentId, resultIds: resultIds)) { JsonObject value ->
            if (onProgress != null && value.get('kind').asString == 'report')
                onProgress.call(Json.text(value, 'message') ?: '', number(value, 'percentage'), number(value, 'etaSeconds'), value.get('metrics'))
        }
        refining = call
        try {
            JsonObject answer = call.awaitObject()
            return new RefineOutcome(intentId, previous, answer, PlacedChange.compose(publishedChanges))
        } finally {
            refining = null
            publishedChanges = null
            if (workspace.connected) workspace.refreshIntents()
        }
    }

    boolean isRefining() { return refining != null }

    /** Ends the refinement under way; it changes nothing then. */
    void stopRefining() { refining?.cancel() }

    /** Goes back to the version before a refinement, and the objects with it. */
    void revert(RefineOutcome outcome) {
        activate(outcome.intentId, outcome.previousId)
    }

    /** Uses a version of an intent; null is the model as shipped. Objects of open images follow. */
    void activate(String intentId, String checkpointId) {
        JsonObject params = Json.object(intentId: intentId)
        if (checkpointId == null) params.add('checkpointId', com.google.gson.JsonNull.INSTANCE)
        else params.addProperty('checkpointId', checkpointId)
        workspace.client.ask('checkpoint/activate', params)
        workspace.refreshIntents()
    }

    /** Objects that changed on the server, by a refinement or in another viewer. */
    protected void published(JsonObject params) {
        String intentId = params.get('intentId').asString
        Intent intent = workspace.intent(intentId)
        List<JsonObject> features = Json.objects(params, 'added') + Json.objects(params, 'changed')
        if (intent != null) features = wanted([intent], features)
        Set<UUID> removed = params.getAsJsonArray('removed').collect { JsonElement id -> UUID.fromString(id.asString) } as Set<UUID>
        PlacedChange change = placer.apply(features, removed, false)
        List<PlacedChange> listening = publishedChanges
        if (listening != null) listening.add(change)
    }

    // --- The connection

    /** After a connection came back: the server has forgotten the image and its results. */
    protected void restore() {
        if (imageId == null) return
        imageId = null
        outcomes.clear()
        open()
    }

    void close() {
        cancel()
        stopRefining()
        closeOnServer()
    }

    private synchronized void closeOnServer() {
        String open = imageId
        imageId = null
        if (open != null && workspace.connected) workspace.client.request('image/close', Json.object(imageId: open))
    }

    private void submit(String intentId, List<JsonObject> judgements) {
        outbox.add([intentId, judgements] as List<Object>)
        flush()
    }

    /** Sends what waits, oldest first. What the server cannot take now stays; what it refuses for good is said and dropped. */
    private synchronized void flush() {
        while (!outbox.isEmpty()) {
            List<Object> next = outbox.get(0)
            try {
                open()
                workspace.client.ask('preference/submit', Json.object(intentId: next[0], imageId: imageId, judgements: next[1]))
                outbox.remove(0)
            } catch (BridgeFault fault) {
                if (!(fault.name in REFUSALS)) {
                    workspace.log.call("${outbox.size()} judgements wait for the server: ${fault.message}" as String)
                    return
                }
                outbox.remove(0)
                throw fault
            }
        }
    }

    private void noteVerdicts(String intentId, Set<UUID> ids, String kind) {
        Map<String, String> known = verdicts.computeIfAbsent(intentId) { String id -> new java.util.concurrent.ConcurrentHashMap<String, String>() }
        for (UUID id : ids) known.put(id.toString(), kind)
    }

    private static Set<UUID> idsOf(List<JsonObject> features) {
        return features.collect { JsonObject one -> UUID.fromString(Json.text(one, 'id')) } as Set<UUID>
    }

    private static Set<UUID> union(Set<UUID> a, Set<UUID> b) {
        Set<UUID> both = new HashSet<>(a)
        both.addAll(b)
        return both
    }

    private static JsonObject judgementOf(String kind, JsonObject feature) {
        return Json.object(kind: kind, objectId: Json.text(feature, 'id'), geometry: feature.get('geometry'))
    }

    private void readVerdicts(String intentId) {
        Map<String, String> known = new java.util.concurrent.ConcurrentHashMap<>()
        for (JsonObject one : Json.objects(workspace.client.ask('preference/list', Json.object(intentId: intentId)), 'judgements')) {
            String id = Json.text(one, 'objectId')
            if (id != null && Json.text(one, 'imageUri') == image.uri) known.put(id, Json.text(one, 'kind'))
        }
        verdicts.put(intentId, known)
    }

    /** Without what the user has rejected. */
    private List<JsonObject> wanted(List<Intent> intents, List<JsonObject> features) {
        Map<String, Map<String, String>> byClass = new HashMap<>()
        for (Intent intent : intents) byClass.put(intent.name, verdicts.get(intent.id) ?: new HashMap<String, String>())
        return features.findAll { JsonObject feature ->
            byClass.get(Features.className(feature))?.get(Json.text(feature, 'id')) != 'reject'
        }
    }

    /** Ours of these intents in the extent that are not found any more and were not judged. */
    private Set<UUID> gone(List<Intent> intents, JsonObject extent, Set<UUID> found, Set<UUID> streamed) {
        Map<String, String> ids = new HashMap<>()
        for (Intent intent : intents) ids.put(intent.name, intent.id)
        Set<UUID> gone = new HashSet<>()
        for (PathObject object : placer.all()) {
            String intentId = ids.get(object.pathClass?.toString())
            if (intentId == null || found.contains(object.ID) || verdict(intentId, object.ID) != null) continue
            if (streamed.contains(object.ID) || Extents.contains(extent, object.ROI.centroidX, object.ROI.centroidY)) gone.add(object.ID)
        }
        return gone
    }

    private void place(List<JsonObject> features, Map<UUID, String> streamed) {
        for (JsonObject feature : features) streamed.put(UUID.fromString(Json.text(feature, 'id')), feature.toString())
        placer.apply(new ArrayList<JsonObject>(features), Collections.<UUID>emptySet())
    }

    private JsonObject filters() { return threshold == null ? null : Json.object(threshold: threshold) }

    private void noteStep(Step step) {
        if (step.change.isEmpty() && step.judgedIntent == null) return
        synchronized (steps) { steps.add(step) }
    }

    private static Double number(JsonObject of, String member) {
        JsonElement value = of.get(member)
        return value != null && value.isJsonPrimitive() ? value.asDouble : null
    }

    // Clicks lie in the image's own data, so that they come back with a saved project.

    private void keepClicks() {
        String text = Json.array(clicks.collect { Click one -> [intent: one.intentId, x: one.x, y: one.y, positive: one.positive] }).toString()
        data.setProperty(propertyName(), text)
    }

    private void readClicks() {
        Object kept = data.getProperty(propertyName())
        if (!(kept instanceof String)) return
        try {
            for (JsonElement one : com.google.gson.JsonParser.parseString((String) kept).asJsonArray) {
                JsonObject click = one.asJsonObject
                clicks.add(new Click(click.get('intent').asString, click.get('x').asDouble, click.get('y').asDouble, click.get('positive').asBoolean))
            }
        } catch (RuntimeException damaged) {
            workspace.log.call("the clicks kept with the image cannot be read: ${damaged.message}" as String)
        }
    }

    private String propertyName() {
        return image.plane.z == 0 && image.plane.t == 0 ? CLICKS_PROPERTY : "$CLICKS_PROPERTY z=${image.plane.z} t=${image.plane.t}" as String
    }

    /** One thing that `undo` takes back. */
    @CompileStatic
    private static class Step {
        PlacedChange change
        /** Whose last judgement goes with it. */
        String judgedIntent
        Set<UUID> ids
    }
}
