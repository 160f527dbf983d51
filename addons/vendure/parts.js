'use strict';

/** Saving parts of an order: each known by its id before the move, and written where it differs. */

class PartSaver {
    constructor(connection, ctx) {
        this.connection = connection;
        this.ctx = ctx;
    }

    /**
     * Make of the parts that are there those that are wanted, and answer with these, in their
     * order. `make` gives the values of one, `idOf` says by which id a part that is there is known,
     * and `wantedId` by which one that is wanted. Parts without an id are the staff's, and stay.
     */
    async save(entity, there, wanted, make, { idOf = importedId, wantedId = each => each.id } = {}) {
        const known = new Map(there.map(each => [idOf(each), each]));
        const saved = [];
        for (const each of wanted) {
            const found = known.get(wantedId(each));
            known.delete(wantedId(each));
            saved.push(await this.savePart(entity, found, make(each)));
        }
        const gone = [...known].filter(([id]) => id != null).map(([, each]) => each);
        await this.remove(entity, gone);
        return saved;
    }

    /** What is there keeps its dates and its owner. */
    async savePart(entity, found, values) {
        if (!found) {
            return this.repository(entity).save(new entity(values));
        }
        const { createdAt, updatedAt, ...rest } = values;
        const own = Object.entries(rest).filter(([, value]) => !isReference(value));
        return this.saveChanges(entity, found, Object.fromEntries(own));
    }

    /** Save only what differs: a date of change is not to move for nothing. */
    async saveChanges(entity, found, { customFields = {}, ...values }) {
        const own = differences(found, values);
        const custom = differences(found.customFields ?? {}, customFields);
        if (!Object.keys(own).length && !Object.keys(custom).length) {
            return found;
        }
        Object.assign(found, own);
        Object.assign(found.customFields ?? {}, custom);
        return this.repository(entity).save(found);
    }

    async remove(entity, parts) {
        if (parts.length) {
            await this.repository(entity).remove(parts);
        }
    }

    repository(entity) {
        return this.connection.getRepository(this.ctx, entity);
    }
}

/** The id of a part in the store that it comes from; null for a part that was made here. */
const importedId = part => part.customFields?.importedId || null;

/** Another record, or several: the id that stands beside it is what counts. */
function isReference(value) {
    const each = Array.isArray(value) ? value[0] : value;
    return each != null && typeof each === 'object' && Object.keys(each).join() === 'id';
}

/** Those values that are not what is there. */
function differences(there, values) {
    return Object.fromEntries(
        Object.entries(values).filter(([name, value]) => plain(there[name]) !== plain(value)),
    );
}

/** A value as text: a date is its JSON, and an id may be a number or a text. */
function plain(value) {
    return JSON.stringify(typeof value === 'number' ? String(value) : value ?? null);
}

module.exports = { PartSaver, importedId };
