package sampo.glue

import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import qupath.lib.images.ImageData
import qupath.lib.objects.PathObject
import sampo.transport.BridgeFault

import java.awt.image.BufferedImage

/**
 * The work on one plane of one image: clicks, searches, judgements, refinements, each of which can be taken back. Methods
 * that ask the server wait for it, and throw BridgeFault.
 *
 * Scripts and the panel use this class; what each part does is in ClickList, Searching, Classifying, Judging, Refining, Steps.
 */
@CompileStatic
class ImageSession {
    final Workspace workspace
    final ImageData<BufferedImage> data
    final ObjectPlacer placer
    final Judging judging
    final Searching searches
    final Steps steps = new Steps()
    /** Given by the user for an image that has none, µm per px. */
    Double pixelSize
    private final ClickList clickList
    private final Refining refinement
    private volatile ViewerImage image
    private volatile String imageId

    ImageSession(Workspace workspace, ImageData<BufferedImage> data, ViewerImage image) {
        this.workspace = workspace
        this.data = data
        this.image = image
        placer = new ObjectPlacer(data.hierarchy, image.plane)
        placer.log = { String line -> workspace.log.call(line) }
        clickList = new ClickList(data, image.plane, { String line -> workspace.log.call(line) })
        judging = new Judging(this)
        searches = new Searching(this)
        refinement = new Refining(this)
    }

    ViewerImage getImage() { return image }

    /** Id on the server; null while it is not open there. */
    String getImageId() { return imageId }

    // --- On the server

    /** Opens the image on the server, unless it is open. @return its warnings */
    synchronized List<String> open() {
        if (imageId != null) return []
        JsonObject opened = workspace.client.ask('image/open', image.openParams(pixelSize))
        imageId = opened.get('imageId').asString
        for (Intent intent : workspace.intents) judging.read(intent.id)
        judging.flush()
        return Json.objects(opened, 'warnings').collect { JsonObject warning -> Json.text(warning, 'message') }
    }

    /** Shows the image otherwise to the server; earlier results belong to the earlier picture. */
    void setStains(StainMap stains) {
        cancel()
        closeOnServer()
        searches.forgetResults()
        image = image.with(stains)
    }

    /** After a connection came back: the server has forgotten the image and its results. */
    protected void restore() {
        if (imageId == null) return
        imageId = null
        searches.forgetResults()
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

    // --- Clicks

    List<Click> getClicks() { return clickList.clicks }

    void addClick(Click click) { clickList.add(click) }

    /** Takes the last click of an intent back. @return it, or null when there is none */
    Click dropLastClick(String intentId) { return clickList.dropLast(intentId) }

    void clearClicks(String intentId) { clickList.clear(intentId) }

    // --- Finding

    /**
     * Finds all objects of the intents in an extent and places them as they come. Objects of an earlier search there that are
     * not found again go, unless the user judged, locked or edited them.
     * @param extra further prompts, one per intent at most @param remember whether the server keeps the examples
     * @param onProgress hears message, percentage (0 to 100) and seconds left
     * @throws BridgeFault RequestCancelled after `cancel`; what was placed by then stays and can be undone
     */
    SearchOutcome search(List<Intent> intents, JsonObject extent, List<Prompts> extra = [], boolean remember = true, Closure<?> onProgress = null) {
        return searches.search(intents, extent, extra, remember, onProgress)
    }

    /** Stops the search under way. */
    void cancel() { searches.cancel() }

    boolean isSearching() { return searches.isUnderWay() }

    /** The latest search; null before the first. */
    SearchOutcome getLatest() { return searches.latest }

    /**
     * Gives the objects the class of the intent they fit, where the score passes; nothing is added or moved.
     * @return how many got a class
     */
    int classify(Collection<PathObject> objects, List<Intent> intents, Closure<?> onProgress = null) {
        return Classifying.classify(this, objects, intents, onProgress)
    }

    /** Least score shown; null for each intent's own. */
    Double getThreshold() { return searches.threshold }

    /** Other least score for what was found, without inference. @return objects now shown, by class name */
    Map<String, Integer> applyThreshold(Double least) { return searches.applyThreshold(least) }

    /** The object of ours at a place, image px; null for none. */
    PathObject objectAt(double x, double y) { return placer.objectAt(x, y) }

    // --- Judging

    /** "accept" or "reject"; null for an object that was not judged. */
    String verdict(String intentId, UUID id) { return judging.verdict(intentId, id) }

    int judged(String intentId) { return judging.judged(intentId) }

    /** Judgements that wait for the server. */
    int getUnsent() { return judging.unsent }

    /** Accepts or rejects objects. Rejected ones leave the image. */
    void judge(String intentId, Collection<PathObject> objects, boolean accept) { judging.judge(intentId, objects, accept) }

    /** Rejects objects that stay in the image, since the user has given them another class. */
    void rejectOnly(String intentId, Collection<PathObject> objects) { judging.rejectOnly(intentId, objects) }

    /** Judges objects of the review queue, which may not be in the image: accepted ones come into it. One step. */
    void judgeFeatures(String intentId, List<JsonObject> accepted, List<JsonObject> rejected) { judging.judgeFeatures(intentId, accepted, rejected) }

    /** An object drawn by the user is of the type. It is the user's from now on. */
    void addDrawn(String intentId, PathObject drawn) { judging.addDrawn(intentId, drawn) }

    /** The user has reshaped an object of ours. */
    void edited(String intentId, PathObject object) { judging.edited(intentId, object) }

    /** Of the candidates of a click, `chosen` is the outline wanted: the clicked object takes it. */
    void better(String intentId, JsonObject candidates, int chosen) { judging.better(intentId, candidates, chosen) }

    /** The most uncertain objects that were not judged, as features. */
    List<JsonObject> review(String intentId, int count) { return reviewPage(intentId, count).objects }

    /**
     * The most uncertain objects that were not judged. @param side of a picture of each, px; 0 for no pictures
     * @throws BridgeFault NotAvailable for pictures of an older server
     */
    ReviewPage reviewPage(String intentId, int count, int side = 0) {
        SearchOutcome last = searches.latestOf(intentId)
        if (last == null) throw new IllegalArgumentException('find objects first: there is nothing to review')
        if (side > 0 && workspace.client.limit('thumbnails') == null) throw BridgeFault.notAvailable('pictures for the gallery')
        JsonObject pictures = side > 0 ? Json.object(size: side) : null
        return new ReviewPage(workspace.client.ask('review/next', Json.object(resultId: last.resultId, intentId: intentId, count: count, thumbnails: pictures)))
    }

    // --- Undo

    boolean canUndo() { return !steps.isEmpty() }

    /**
     * Takes the last step of this image back: what it placed, and the judgement behind it. A step that the server cannot take
     * back now stays the last one.
     * @return what it was, null for nothing
     */
    String undo() {
        Step last = steps.takeLast()
        if (last == null) return null
        if (last.judgedIntent != null) {
            try {
                judging.undo(last.judgedIntent, last.ids)
            } catch (BridgeFault fault) {
                if (fault.retryable) steps.putBack(last)
                throw fault
            } catch (IllegalArgumentException advice) {
                steps.putBack(last)
                throw advice
            }
        }
        if (!last.change.isEmpty()) placer.revert(last.change)
        return last.undone()
    }

    // --- Refining

    /**
     * Makes the intent better from what was judged. Changed objects change in place, those of the user stay.
     * @param onProgress hears message, percentage, seconds left, metrics
     */
    RefineOutcome refine(String intentId, Closure<?> onProgress = null) { return refinement.refine(intentId, onProgress) }

    boolean isRefining() { return refinement.isUnderWay() }

    /** Ends the refinement under way; it changes nothing then. */
    void stopRefining() { refinement.stop() }

    /** Goes back to the version before a refinement, and the objects with it. */
    void revert(RefineOutcome outcome) { activate(outcome.intentId, outcome.previousId) }

    /** Uses a version of an intent; null is the model as shipped. Objects of open images follow. */
    void activate(String intentId, String checkpointId) { refinement.activate(intentId, checkpointId) }

    /** Objects that changed on the server, by a refinement or in another viewer. */
    protected void published(JsonObject params) { refinement.take(params) }
}
