package millrace.bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;

/** What is asked of an owner. Fields that no decision needs are ignored. Amounts are minor units. */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Command(long id, String type, String owner, long amount, @JsonProperty("hold_id") String holdId) {}
