package qupath.lib.images

import qupath.lib.images.servers.ImageServer
import qupath.lib.objects.hierarchy.PathObjectHierarchy

class ImageData<T> {
    enum ImageType { BRIGHTFIELD_H_E, BRIGHTFIELD_H_DAB, BRIGHTFIELD_OTHER, FLUORESCENCE, OTHER, UNSET }
    private final ImageServer<T> server
    private final PathObjectHierarchy hierarchy = new PathObjectHierarchy()
    private final Map<String, Object> properties = [:]
    private ImageType type
    ImageData(ImageServer<T> server, ImageType type) { this.server = server; this.type = type }
    ImageServer<T> getServer() { return server }
    PathObjectHierarchy getHierarchy() { return hierarchy }
    ImageType getImageType() { return type }
    void setImageType(ImageType type) { this.type = type }
    // Groovy asks these for every property of its own classes too.
    Object getProperty(String key) { return key.contains('.') ? properties.get(key) : metaClass.getProperty(this, key) }
    void setProperty(String key, Object value) { if (key.contains('.')) properties.put(key, value) else metaClass.setProperty(this, key, value) }
}
