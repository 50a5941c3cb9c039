package qupath.lib.objects

import qupath.lib.measurements.MeasurementList
import qupath.lib.objects.classes.PathClass
import qupath.lib.roi.interfaces.ROI

class PathObject {
    protected ROI shape
    protected boolean detection
    private PathClass pathClass
    private UUID id = UUID.randomUUID()
    private boolean locked
    private PathObject parent
    private final List<PathObject> children = []
    private final MeasurementList list = new MeasurementList()

    ROI getROI() { return shape }
    private String name
    String getName() { return name }
    void setName(String name) { this.name = name }
    UUID getID() { return id }
    void setID(UUID id) { this.id = id }
    PathClass getPathClass() { return pathClass }
    void setPathClass(PathClass pathClass) { this.pathClass = pathClass }
    boolean isLocked() { return locked }
    void setLocked(boolean locked) { this.locked = locked }
    boolean isDetection() { return detection }
    boolean isAnnotation() { return !detection }
    MeasurementList getMeasurementList() { return list }
    Map<String, Number> getMeasurements() { return list.values }
    PathObject getParent() { return parent }
    Collection<PathObject> getChildObjects() { return children }
    void addChildObjects(Collection<? extends PathObject> objects) { for (o in objects) { o.parent?.removeChildObjects([o]); o.parent = this; children << o } }
    void removeChildObjects(Collection<PathObject> objects) {
        def leaving = Collections.newSetFromMap(new IdentityHashMap<PathObject, Boolean>())
        for (o in objects) { leaving << o; o.parent = null }
        children.removeIf { leaving.contains(it) }
    }
}
