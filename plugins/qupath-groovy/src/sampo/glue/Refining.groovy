package sampo.glue

import com.google.gson.JsonElement
import com.google.gson.JsonNull
import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import sampo.transport.RpcCall

/** Refinements and versions of intents, and what they change in one image. */
@CompileStatic
class Refining {
    private final ImageSession session
    private volatile RpcCall running
    /** What the server has changed in the image since the refinement under way began; null while there is none. */
    private volatile List<PlacedChange> published

    Refining(ImageSession session) { this.session = session }

    boolean isUnderWay() { return running != null }

    /** Ends the refinement under way; it changes nothing then. */
    void stop() { running?.cancel() }

    /** As ImageSession.refine. */
    RefineOutcome refine(String intentId, Closure<?> onProgress) {
        Workspace workspace = session.workspace
        session.open()
        session.judging.flush()
        String previous = workspace.intent(intentId)?.checkpointId
        List<PlacedChange> changes = Collections.synchronizedList(new ArrayList<PlacedChange>())
        published = changes
        JsonObject params = Json.object(intentId: intentId, resultIds: session.searches.resultIds(intentId))
        RpcCall call = workspace.client.request('training/start', params) { JsonObject value ->
            if (onProgress != null && value.get('kind').asString == 'report')
                onProgress.call(Json.text(value, 'message') ?: '', Json.number(value, 'percentage'), Json.number(value, 'etaSeconds'), value.get('metrics'))
        }
        running = call
        try {
            return new RefineOutcome(intentId, previous, call.awaitObject(), PlacedChange.compose(changes))
        } finally {
            running = null
            published = null
            if (workspace.connected) workspace.refreshIntents()
        }
    }

    /** Uses a version of an intent; null is the model as shipped. Objects of open images follow. */
    void activate(String intentId, String checkpointId) {
        JsonObject params = Json.object(intentId: intentId)
        params.add('checkpointId', checkpointId == null ? JsonNull.INSTANCE : new com.google.gson.JsonPrimitive(checkpointId))
        session.workspace.client.ask('checkpoint/activate', params)
        session.workspace.refreshIntents()
    }

    /** Objects that changed on the server, by a refinement or in another viewer. */
    void take(JsonObject changes) {
        Intent intent = session.workspace.intent(changes.get('intentId').asString)
        List<JsonObject> features = Json.objects(changes, 'added') + Json.objects(changes, 'changed')
        if (intent != null) features = session.judging.wanted([intent], features)
        Set<UUID> removed = changes.getAsJsonArray('removed').collect { JsonElement id -> UUID.fromString(id.asString) } as Set<UUID>
        PlacedChange change = session.placer.apply(features, removed, false)
        published?.add(change)
    }
}
