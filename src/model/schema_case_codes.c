/* The words a case is told in. Numbers are signed for ever; `unknown` is 1 and is listed last, since a known value is
 * shown before it. */
#include "inside.h"

static const struct focal_code elapsed_codes[] = {
    { 2, "0-3d", "0 to 3 days" },
    { 3, "4-5d", "4 or 5 days" },
    { 4, "6-14d", "6 to 14 days" },
    { 5, "2w-1m", "2 weeks to 1 month" },
    { 6, "over-1m", "Over 1 month" },
    { 1, "unknown", "Unknown" },
    { 0 }
};
const struct focal_code_table focal_model_elapsed = { "elapsed", elapsed_codes };

static const struct focal_code channel_codes[] = {
    { 2, "hotline", "Hotline" },
    { 3, "complaint_box", "Complaint box" },
    { 4, "in_person", "In person" },
    { 5, "digital", "Digital form" },
    { 6, "messaging", "Messaging" },
    { 7, "survey_fgd", "Survey or group discussion" },
    { 8, "third_party", "Third party" },
    { 9, "media", "Media" },
#ifdef FOCAL_NEXT_VERSION
    { 60, "made_up", "Made up" },
#endif
    { 10, "other", "Other" },
    { 1, "unknown", "Unknown" },
    { 0 }
};
const struct focal_code_table focal_model_channel = { "channel", channel_codes };

static const struct focal_code source_role_codes[] = {
    { 2, "victim", "Victim" },
    { 3, "family", "Family" },
    { 4, "community", "Community" },
    { 5, "staff_same_entity", "Staff of the same entity" },
    { 6, "staff_other_entity", "Staff of another entity" },
    { 7, "third_party", "Third party" },
    { 8, "anonymous", "Anonymous" },
    { 1, "unknown", "Unknown" },
    { 0 }
};
const struct focal_code_table focal_model_source_role = { "source_role", source_role_codes };

static const struct focal_code entity_class_codes[] = {
    { 2, "peace_operation", "Peace operation" },
    { 3, "agency_fund_programme", "Agency, fund or programme" },
    { 4, "implementing_partner", "Implementing partner" },
    { 5, "ngo", "NGO" },
    { 6, "non_un_force", "Non-UN force" },
    { 7, "contractor", "Contractor" },
    { 1, "unknown", "Unknown" },
    { 0 }
};
const struct focal_code_table focal_model_entity_class = { "entity_class", entity_class_codes };

static const struct focal_code personnel_category_codes[] = {
    { 2, "civilian_staff", "Civilian staff" },
    { 3, "un_volunteer", "UN volunteer" },
    { 4, "expert_on_mission", "Expert on mission" },
    { 5, "military_contingent", "Military contingent" },
    { 6, "military_observer", "Military observer" },
    { 7, "staff_officer", "Staff officer" },
    { 8, "un_police", "UN police" },
    { 9, "formed_police_unit", "Formed police unit" },
    { 10, "government_provided", "Government-provided personnel" },
    { 11, "partner_personnel", "Partner personnel" },
    { 12, "contractor", "Contractor" },
    { 13, "volunteer", "Volunteer" },
    { 1, "unknown", "Unknown" },
    { 0 }
};
const struct focal_code_table focal_model_personnel_category = { "personnel_category", personnel_category_codes };

static const struct focal_code allegation_type_codes[] = {
    { 2, "sexual_exploitation", "Sexual exploitation" },
    { 3, "sexual_abuse", "Sexual abuse" },
    { 4, "other", "Other" },
    { 1, "unknown", "Unknown" },
    { 0 }
};
const struct focal_code_table focal_model_allegation_type = { "allegation_type", allegation_type_codes };

static const struct focal_code sex_codes[] = {
    { 2, "female", "Female" },
    { 3, "male", "Male" },
    { 4, "other", "Other" },
    { 1, "unknown", "Unknown" },
    { 0 }
};
const struct focal_code_table focal_model_sex = { "sex", sex_codes };

static const struct focal_code age_codes[] = {
    { 2, "adult", "Adult" },
    { 3, "child", "Child" },
    { 1, "unknown", "Unknown" },
    { 0 }
};
const struct focal_code_table focal_model_age = { "age", age_codes };

static const struct focal_code perpetrator_count_codes[] = {
    { 2, "1", "1" },
    { 3, "2", "2" },
    { 4, "3", "3" },
    { 5, "more_than_3", "More than 3" },
    { 1, "unknown", "Unknown" },
    { 0 }
};
const struct focal_code_table focal_model_perpetrator_count = { "perpetrator_count", perpetrator_count_codes };

static const struct focal_code paternity_claim_codes[] = {
    { 2, "none", "None" },
    { 3, "raised", "Raised" },
    { 4, "dna_requested", "DNA requested" },
    { 5, "established", "Established" },
    { 6, "not_established", "Not established" },
    { 1, "unknown", "Unknown" },
    { 0 }
};
const struct focal_code_table focal_model_paternity_claim = { "paternity_claim", paternity_claim_codes };

static const struct focal_code status_codes[] = {
    { 2, "received", "Received" },
    { 3, "under_review_limited_info", "Under review, limited information" },
    { 4, "preliminary_assessment", "Preliminary assessment" },
    { 5, "under_investigation", "Under investigation" },
    { 6, "closed_other", "Closed for other reasons" },
    { 7, "not_substantiated", "Not substantiated" },
    { 8, "substantiated", "Substantiated" },
    { 0 }
};
const struct focal_code_table focal_model_status = { "status", status_codes };

static const struct focal_code member_state_referral_codes[] = {
    { 2, "none", "None" },
    { 3, "referred", "Referred" },
    { 4, "pending", "Pending" },
    { 5, "action_reported", "Action reported" },
    { 0 }
};
const struct focal_code_table focal_model_member_state_referral = { "member_state_referral", member_state_referral_codes };

static const struct focal_code service_codes[] = {
    { 2, "safety", "Safety" },
    { 3, "medical", "Medical" },
    { 4, "psychosocial", "Psychosocial" },
    { 5, "legal", "Legal" },
    { 6, "basic_material", "Basic material assistance" },
    { 7, "child_protection", "Child protection" },
    { 0 }
};
const struct focal_code_table focal_model_service = { "service", service_codes };

static const struct focal_code assistance_state_codes[] = {
    { 2, "offered", "Offered" },
    { 3, "accepted", "Accepted" },
    { 4, "declined", "Declined" },
    { 5, "provided", "Provided" },
    { 6, "not_available", "Not available" },
    { 0 }
};
const struct focal_code_table focal_model_assistance_state = { "assistance_state", assistance_state_codes };

static const struct focal_code consent_what_codes[] = {
    { 2, "referral", "Referral to a service" },
    { 3, "share_allegation", "Sharing the allegation" },
    { 4, "share_identity", "Sharing who the person is" },
    { 5, "contact", "Being contacted again" },
    { 6, "investigation", "Taking part in an investigation" },
    { 0 }
};
const struct focal_code_table focal_model_consent_what = { "consent_what", consent_what_codes };

static const struct focal_code consent_whom_codes[] = {
    { 2, "service_provider", "Service provider" },
    { 3, "concerned_entity", "Concerned entity" },
    { 4, "coordinator", "Inter-agency coordinator" },
    { 5, "headquarters", "Headquarters" },
    { 6, "investigating_body", "Investigating body" },
    { 7, "national_authority", "National authority" },
    { 8, "other", "Other" },
    { 0 }
};
const struct focal_code_table focal_model_consent_whom = { "consent_whom", consent_whom_codes };

static const struct focal_code consent_decision_codes[] = {
    { 2, "given", "Given" },
    { 3, "refused", "Refused" },
    { 4, "withdrawn", "Withdrawn" },
    { 0 }
};
const struct focal_code_table focal_model_consent_decision = { "consent_decision", consent_decision_codes };

static const struct focal_code consent_by_codes[] = {
    { 2, "self", "The person" },
    { 3, "guardian", "Guardian" },
    { 0 }
};
const struct focal_code_table focal_model_consent_by = { "consent_by", consent_by_codes };

static const struct focal_code feedback_preference_codes[] = {
    { 2, "wanted", "Wanted" },
    { 3, "not_wanted", "Not wanted" },
    { 4, "unsafe", "Unsafe" },
    { 0 }
};
const struct focal_code_table focal_model_feedback_preference = { "feedback_preference", feedback_preference_codes };

static const struct focal_code feedback_event_codes[] = {
    { 2, "acknowledged", "Acknowledged" },
    { 3, "given", "Given" },
    { 4, "attempted", "Attempted" },
    { 0 }
};
const struct focal_code_table focal_model_feedback_event = { "feedback_event", feedback_event_codes };

static const struct focal_code interim_action_codes[] = {
    { 2, "none", "None" },
    { 3, "suspended", "Suspended" },
    { 4, "reassigned", "Reassigned" },
    { 5, "administrative_leave", "Administrative leave" },
    { 6, "repatriated", "Repatriated" },
    { 7, "payment_suspended", "Payment suspended" },
    { 1, "unknown", "Unknown" },
    { 0 }
};
const struct focal_code_table focal_model_interim_action = { "interim_action", interim_action_codes };

static const struct focal_code outcome_codes[] = {
    { 2, "none", "None" },
    { 3, "pending", "Pending" },
    { 4, "dismissed", "Dismissed" },
    { 5, "contract_ended", "Contract ended" },
    { 6, "repatriated", "Repatriated" },
    { 7, "barred", "Barred" },
    { 8, "referred_national_authority", "Referred to national authority" },
    { 0 }
};
const struct focal_code_table focal_model_outcome = { "outcome", outcome_codes };

/* The last says that the case is no longer withdrawn: a value like the others, so that a restoration and a withdrawal that
 * did not know of each other are two versions. */
static const struct focal_code withdrawn_codes[] = {
    { 2, "entered_in_error", "Entered in error" },
    { 3, "duplicate", "The same as another case" },
    { 4, "complainant_request", "Request of the complainant" },
    { 5, "other", "Other" },
    { FOCAL_CODE_RESTORED, "restored", "Restored" },
    { 0 }
};
const struct focal_code_table focal_model_withdrawn = { "withdrawn", withdrawn_codes };
