package dev.jarvis.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import com.fasterxml.jackson.databind.json.JsonMapper;

/**
 * Creates Jackson factories and mappers whose buffers are shared by all threads. By default Jackson
 * has buffers for each thread, and so would create new ones for each virtual thread.
 */
public final class SharedBuffers {
  private SharedBuffers() {}

  public static JsonFactoryBuilder factory() {
    JsonFactoryBuilder factory = new JsonFactoryBuilder();
    return factory.recyclerPool(JsonRecyclerPools.sharedConcurrentDequePool());
  }

  /** A mapper with Jackson's defaults. */
  public static JsonMapper mapper() {
    return builder().build();
  }

  public static JsonMapper.Builder builder() {
    JsonFactory factory = factory().build();
    return JsonMapper.builder(factory);
  }
}
