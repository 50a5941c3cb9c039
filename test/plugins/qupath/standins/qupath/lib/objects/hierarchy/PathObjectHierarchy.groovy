package qupath.lib.objects.hierarchy

import qupath.lib.objects.PathObject
import qupath.lib.objects.hierarchy.events.PathObjectHierarchyEvent
import qupath.lib.objects.hierarchy.events.PathObjectHierarchyListener
import qupath.lib.objects.hierarchy.events.PathObjectSelectionModel

class PathObjectHierarchy {
    private final PathObject root = new PathObject()
    private final List<PathObjectHierarchyListener> listeners = []
    private final PathObjectSelectionModel selection = new PathObjectSelectionModel()
    PathObjectSelectionModel getSelectionModel() { return selection }
    void addListener(PathObjectHierarchyListener listener) { listeners << listener }
    private void tell() { listeners.each { it.hierarchyChanged(new PathObjectHierarchyEvent()) } }
    PathObject getRootObject() { return root }
    Collection<PathObject> getAllObjects(boolean includeRoot) { return includeRoot ? [root] + below(root) : below(root) }
    Collection<PathObject> getDetectionObjects() { return below(root).findAll { it.isDetection() } }
    Collection<PathObject> getAnnotationObjects() { return below(root).findAll { it.isAnnotation() } }
    boolean addObjects(Collection<? extends PathObject> objects) { root.addChildObjects(objects); tell(); return true }
    boolean addObject(PathObject object) { return addObjects([object]) }
    void removeObjects(Collection<? extends PathObject> objects, boolean keepChildren) { objects.each { it.parent?.removeChildObjects([it]) }; tell() }
    void fireHierarchyChangedEvent(Object source) { tell() }
    void fireObjectClassificationsChangedEvent(Object source, Collection<? extends PathObject> objects) { tell() }
    void fireObjectMeasurementsChangedEvent(Object source, Collection<? extends PathObject> objects) { tell() }
    private static List<PathObject> below(PathObject object, List<PathObject> into = []) {
        for (child in object.childObjects) { into << child; below(child, into) }
        return into
    }
}
