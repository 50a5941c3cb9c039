package sampo.glue

import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import qupath.lib.objects.PathObject
import qupath.lib.objects.classes.PathClass
import qupath.lib.objects.hierarchy.PathObjectHierarchy
import qupath.lib.regions.ImagePlane
import qupath.lib.roi.interfaces.ROI

import java.util.concurrent.ConcurrentHashMap

/**
 * Puts the server's objects into one image and takes them out again, each step in one hierarchy event, and remembers steps
 * so that they can be taken back (QuPath's own undo ends at 10,000 objects).
 *
 * Objects are found again by id, never by reference: after QuPath's undo they are new instances. What the user has locked,
 * reshaped or given another class is the user's, and stays.
 */
@CompileStatic
class ObjectPlacer {
    private final PathObjectHierarchy hierarchy
    private final ImagePlane plane
    /** Id to how the object looked when it was placed. */
    private final Map<UUID, String> written = new ConcurrentHashMap<>()
    private final List<PlacedChange> done = new ArrayList<>()
    private final List<PlacedChange> undone = new ArrayList<>()
    /** Hears of features that cannot be read; never null. */
    Closure<?> log = { String line -> }
    /** Gets the hierarchy and a closure that tells its listeners of a change, and calls that; never null. */
    Closure<?> telling = { PathObjectHierarchy of, Closure<?> tell -> tell.call() }

    ObjectPlacer(PathObjectHierarchy hierarchy, ImagePlane plane) {
        this.hierarchy = hierarchy
        this.plane = plane
    }

    /**
     * Brings features in and takes objects out. A feature whose id is there already takes that object's place, under the same
     * parent. @param remember whether `undo` takes this step back
     */
    synchronized PlacedChange apply(Collection<JsonObject> features, Collection<UUID> removedIds, boolean remember = true) {
        Set<UUID> leaving = new HashSet<>(removedIds)
        Set<UUID> wanted = new HashSet<>(leaving)
        Map<UUID, String> classes = new HashMap<>()
        for (JsonObject feature : features) {
            String id = Json.text(feature, 'id')
            if (id != null) classes.put(UUID.fromString(id), Features.className(feature))
        }
        wanted.addAll(classes.keySet())
        Map<UUID, PathObject> present = find(wanted)
        Set<UUID> theirs = new HashSet<>()
        for (Map.Entry<UUID, PathObject> entry : present.entrySet())
            if (belongsToUser(entry.value, classes.get(entry.key))) theirs.add(entry.key)
        int unreadable = 0
        Collection<JsonObject> free = features.findAll { JsonObject feature -> Json.text(feature, 'id') == null || !theirs.contains(UUID.fromString(Json.text(feature, 'id'))) }
        List<PathObject> added = Features.toDetections(free, plane) { JsonObject feature, String why ->
            unreadable++
            log.call("object ${Json.text(feature, 'id')} was left out: $why" as String)
        }
        Set<UUID> readable = added.collect { PathObject one -> one.ID } as Set<UUID>
        List<PathObject> removed = present.findAll { UUID id, PathObject object -> !theirs.contains(id) && (readable.contains(id) || leaving.contains(id)) }
            .values().toList()
        PlacedChange change = new PlacedChange(added, removed, theirs.size(), unreadable)
        perform(added, removed)
        if (remember && !change.isEmpty()) note(change)
        return change
    }

    /** Objects that this image has under the ids. */
    Map<UUID, PathObject> find(Set<UUID> ids) {
        Map<UUID, PathObject> found = new HashMap<>()
        if (ids.isEmpty()) return found
        for (PathObject object : hierarchy.getAllObjects(false)) if (ids.contains(object.ID)) found.put(object.ID, object)
        return found
    }

    /** The class of ours has another name now. Whose an object is does not change with it. */
    synchronized void rename(String from, PathClass to) {
        List<PathObject> theirs = all().findAll { PathObject object -> object.pathClass?.toString() == from }
        for (PathObject object : theirs) {
            boolean ofUser = belongsToUser(object, from)
            object.pathClass = to
            if (!ofUser) written.put(object.ID, look(object))
        }
        if (!theirs.isEmpty()) hierarchy.fireObjectClassificationsChangedEvent(this, theirs)
    }

    /** Objects of ours in this plane of the image, also those of an earlier session. */
    List<PathObject> all() {
        return hierarchy.detectionObjects.findAll { PathObject object -> isOurs(object) && inPlane(object) }.toList()
    }

    /** The object of ours at a place, image px; null for none. Cheap enough for the thread of the windows. */
    PathObject objectAt(double x, double y) {
        for (PathObject object : hierarchy.detectionObjects) {
            ROI roi = object.ROI
            if (x < roi.boundsX || y < roi.boundsY || x > roi.boundsX + roi.boundsWidth || y > roi.boundsY + roi.boundsHeight) continue
            if (isOurs(object) && inPlane(object) && roi.contains(x, y)) return object
        }
        return null
    }

    /** Brings the measurements of objects up to those of their features; nothing else of them changes, and nothing of the user's. */
    void remeasure(Map<UUID, PathObject> objects, Collection<JsonObject> features) {
        List<PathObject> changed = new ArrayList<>()
        for (JsonObject feature : features) {
            PathObject object = objects.get(UUID.fromString(Json.text(feature, 'id')))
            if (object == null || belongsToUser(object, Features.className(feature))) continue
            if (Features.measure(object, feature)) changed.add(object)
        }
        if (!changed.isEmpty()) hierarchy.fireObjectMeasurementsChangedEvent(this, changed)
    }

    private boolean isOurs(PathObject object) {
        return written.containsKey(object.ID) || object.measurements.containsKey(Features.SCORE)
    }

    private boolean inPlane(PathObject object) {
        ImagePlane of = object.ROI.imagePlane
        return of.z == plane.z && of.t == plane.t
    }

    /** Makes several remembered steps into one, so that one undo takes all of them back. @param since `depth` before the first */
    synchronized PlacedChange mergeSince(int since) {
        if (done.size() <= since) return new PlacedChange([], [])
        if (done.size() == since + 1) return done.last()
        PlacedChange merged = PlacedChange.compose(new ArrayList<>(done.subList(since, done.size())))
        while (done.size() > since) done.remove(done.size() - 1)
        done.add(merged)
        return merged
    }

    int getDepth() { return done.size() }

    boolean canUndo() { return !done.isEmpty() }

    boolean canRedo() { return !undone.isEmpty() }

    /** Takes the last step back; what the user has changed meanwhile stays. @return what was done to the image, null for nothing */
    synchronized PlacedChange undo() {
        if (done.isEmpty()) return null
        PlacedChange last = done.remove(done.size() - 1)
        PlacedChange reverse = reversed(last)
        undone.add(last)
        return reverse
    }

    synchronized PlacedChange redo() {
        if (undone.isEmpty()) return null
        PlacedChange last = undone.remove(undone.size() - 1)
        PlacedChange again = reversed(new PlacedChange(last.removed, last.added))
        done.add(last)
        return again
    }

    /** Takes a step back that need not be the last one. */
    synchronized PlacedChange revert(PlacedChange change) {
        done.remove(change)
        return reversed(change)
    }

    private PlacedChange reversed(PlacedChange change) {
        Map<UUID, PathObject> present = find(change.added.collect { PathObject one -> one.ID } as Set<UUID>)
        List<PathObject> out = present.values().findAll { PathObject one -> !belongsToUser(one, one.pathClass?.toString()) }.toList()
        Set<UUID> staying = new HashSet<>(present.keySet())
        for (PathObject one : out) staying.remove(one.ID)
        Map<UUID, PathObject> already = find(change.removed.collect { PathObject one -> one.ID } as Set<UUID>)
        Set<UUID> leaving = out.collect { PathObject one -> one.ID } as Set<UUID>
        List<PathObject> back = change.removed.findAll { PathObject one -> !staying.contains(one.ID) && (leaving.contains(one.ID) || !already.containsKey(one.ID)) }
        perform(back, out)
        return new PlacedChange(back, out, staying.size())
    }

    private void note(PlacedChange change) {
        done.add(change)
        undone.clear()
    }

    private void perform(List<PathObject> added, List<PathObject> removed) {
        if (added.isEmpty() && removed.isEmpty()) return
        // Before the lock: the thread of the windows waits for it, and this takes longer than the change itself.
        Map<UUID, String> looks = new HashMap<>(2 * added.size())
        for (PathObject object : added) looks.put(object.ID, look(object))
        synchronized (hierarchy) {
            Map<UUID, PathObject> parents = new HashMap<>()
            Map<PathObject, List<PathObject>> leaving = new IdentityHashMap<>()
            for (PathObject object : removed) {
                if (object.parent == null) continue
                parents.put(object.ID, object.parent)
                leaving.computeIfAbsent(object.parent) { PathObject key -> new ArrayList<PathObject>() }.add(object)
            }
            for (Map.Entry<PathObject, List<PathObject>> entry : leaving.entrySet()) entry.key.removeChildObjects(entry.value)
            PathObject root = hierarchy.rootObject
            Map<PathObject, List<PathObject>> coming = new IdentityHashMap<>()
            for (PathObject object : added) {
                coming.computeIfAbsent(parents.get(object.ID) ?: root) { PathObject key -> new ArrayList<PathObject>() }.add(object)
            }
            for (Map.Entry<PathObject, List<PathObject>> entry : coming.entrySet()) entry.key.addChildObjects(entry.value)
            for (PathObject object : removed) written.remove(object.ID)
            written.putAll(looks)
        }
        telling.call(hierarchy, { hierarchy.fireHierarchyChangedEvent(this) })
    }

    /** @param className of the feature that would take its place; for an object of an earlier session, what the server calls it */
    private boolean belongsToUser(PathObject object, String className) {
        if (object.isLocked() || !object.isDetection()) return true
        String then = written.get(object.ID)
        if (then != null) return then != look(object)
        return className != null && object.pathClass?.toString() != className
    }

    private static String look(PathObject object) {
        ROI roi = object.ROI
        return "${object.pathClass} ${Math.round(roi.boundsX * 10)} ${Math.round(roi.boundsY * 10)} ${Math.round(roi.boundsWidth * 10)} ${Math.round(roi.boundsHeight * 10)} ${roi.numPoints}" as String
    }
}
